import { createLlamaEngine } from "../gpu-node/engine/llama";
import { silentLog } from "../lib/log";
import { loadConfig } from "../lib/settings";

/**
 * Tokens per second and time to first token of the embedded engine, without HTTP: `bun bench/engine.ts [streams…]`.
 * The settings are the node's own, so GROUNDWIRE_NODE_THREADS and GROUNDWIRE_CHAT_MODEL choose what is measured.
 */
const TOKENS = 48;
const DEFAULT_STREAMS = [1, 4, 8];

interface Answer {
  tokens: number;
  /** Both on the clock of performance.now(). */
  firstTokenAt: number;
  endedAt: number;
}

const config = loadConfig();
const engine = createLlamaEngine(config, silentLog());

/** Every prompt is another one, so that no prefix but the template's is found in the cache. */
const answer = async (run: string): Promise<Answer> => {
  const accepted = await engine.accept({
    operation: "chat",
    body: {
      messages: [{ role: "user", content: `${run}: tell a long story about a lighthouse keeper and the sea.` }],
      max_tokens: TOKENS,
      temperature: 1,
      seed: 1,
    },
    signal: new AbortController().signal,
  });
  let firstTokenAt = 0;
  let tokens = 0;
  for await (const event of accepted.start()) {
    if (event.type === "delta") firstTokenAt ||= performance.now();
    if (event.type === "end") tokens = event.usage.completionTokens;
  }
  return { tokens, firstTokenAt, endedAt: performance.now() };
};

/** Generation is timed from the first token of the last stream: prefill is in the time to first token. */
const measure = async (streams: number) => {
  const startedAt = performance.now();
  const answers = await Promise.all(Array.from({ length: streams }, (_, index) => answer(`${streams}.${index}`)));
  const ttftMs = answers.map(({ firstTokenAt }) => firstTokenAt - startedAt).toSorted((a, b) => a - b);
  const endedAt = Math.max(...answers.map((one) => one.endedAt));
  const tokens = answers.reduce((sum, one) => sum + one.tokens - 1, 0);
  const seconds = (endedAt - startedAt - Math.max(...ttftMs)) / 1000;
  return {
    streams,
    "tokens/s": (tokens / seconds).toFixed(1),
    "ttft p50 ms": ttftMs[Math.floor(streams / 2)]?.toFixed(0),
    "ttft max ms": ttftMs.at(-1)?.toFixed(0),
  };
};

const chosen = process.argv
  .slice(2)
  .map(Number)
  .filter((streams) => streams >= 1);
const loadStartedAt = performance.now();
await engine.load(() => {});
console.log(
  `${engine.name}, ${engine.models()[0]?.id}, loaded in ${(performance.now() - loadStartedAt).toFixed(0)} ms`,
);
await answer("warm-up");
const rows = [];
for (const streams of chosen.length > 0 ? chosen : DEFAULT_STREAMS) rows.push(await measure(streams));
console.table(rows);
await engine.close();
