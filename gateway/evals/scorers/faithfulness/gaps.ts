/** The heaviest stretch of a claim without support. */
interface Gap {
  /** Places of its first word, and behind its last. */
  from: number;
  to: number;
  /** Sum of the weights of its words. */
  weight: number;
}

const NONE: Gap = { from: 0, to: 0, weight: 0 };

/**
 * The stretch of words whose unsupported weight outweighs what is supported within it by most (the maximum-sum segment,
 * Bentley 1984). `support` of each word is 0…1; a supported word counts against a gap by `cost` of its weight.
 */
export const heaviestGap = (weights: readonly number[], support: readonly number[], cost: number): Gap => {
  let best = NONE;
  let open = NONE;
  for (const [at, weight] of weights.entries()) {
    const known = support[at] ?? 0;
    const gain = weight * (1 - known) - cost * weight * known;
    open =
      open.weight > 0 ? { ...open, to: at + 1, weight: open.weight + gain } : { from: at, to: at + 1, weight: gain };
    if (gain > 0 && open.weight > best.weight) best = open;
  }
  return best;
};
