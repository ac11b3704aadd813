/** An answer with every element of Markdown. */
export const MARKDOWN = `Continuous batching keeps the GPU busy by **mixing requests at the token level**: as soon as one answer ends, another takes its place.

## How it works

1. Each request gets a *slot* with its own part of the KV cache.
2. At every step the engine decodes one token for **all** active slots in one batch.
3. A finished slot is filled again before the next step.

\`\`\`ts
for (;;) {
  admit(waiting, slots);
  const tokens = await decode(slots.filter((slot) => slot.isActive));
  for (const { slot, token } of tokens) slot.push(token);
}
\`\`\`

| Streams | Alone | Batched |
|---:|---:|---:|
| 1 | 66 | 68 |
| 8 | 75 | 118 |

See the [paper](https://www.usenix.org/conference/osdi22/presentation/yu) for the details, or change \`slots\` and measure.`;
