/** The state of a free sequence, for choosing one for a prompt. */
export interface SlotState {
  /** Tokens in its KV cache. */
  cachedTokens: number;
  /** How many of them, from the start, the prompt shares. */
  sharedTokens: number;
  /** How many of the two sequences beside it are generating. */
  neighbours: number;
  /** Order of last use; 0 = never. */
  lastUse: number;
}

/** Cost of discarding a cached token, relative to computing one: it may never be needed again. */
const LOSS_WEIGHT = 1 / 8;
/**
 * Value of a neighbour, in computed tokens. llama.cpp splits a batch wherever the sequences in it don't follow
 * each other, and every part reads all weights again: four scattered streams cost 1.4 times the CPU of four in a row.
 */
const NEIGHBOUR_WORTH = 64;

/**
 * Index of the sequence that saves the most prefill. The tokens that would be discarded count a little, so that a
 * new chat that shares only the system prompt leaves another one's long history alone; ties go to the least recently
 * used.
 */
export const chooseSlot = (slots: readonly SlotState[]): number => {
  const worth = ({ cachedTokens, sharedTokens, neighbours }: SlotState) =>
    sharedTokens - LOSS_WEIGHT * (cachedTokens - sharedTokens) + NEIGHBOUR_WORTH * neighbours;
  return slots.reduce((best, slot, index) => {
    const leader = slots[best];
    if (!leader) return index;
    const gain = worth(slot) - worth(leader);
    return gain > 0 || (gain === 0 && slot.lastUse < leader.lastUse) ? index : best;
  }, -1);
};

/** Share of a step's prefill that the oldest prompt always gets, so that shorter ones can't starve it. */
const OLDEST_SHARE = 1 / 4;

/**
 * Shares `capacity` tokens of one batch between the prompts that are being read. `demands` are the tokens that each
 * still needs, oldest first; the answer is in the same order. Short ones go first: a question is not kept waiting by a
 * book, and of equal ones the first is answered before the last is begun.
 */
export const shareBatch = (demands: readonly number[], capacity: number): number[] => {
  if (demands.length === 0) return [];
  const shares = demands.map(() => 0);
  let left = capacity;
  const grant = (index: number, limit: number): void => {
    const granted = Math.max(0, Math.min((demands[index] ?? 0) - (shares[index] ?? 0), limit));
    shares[index] = (shares[index] ?? 0) + granted;
    left -= granted;
  };
  grant(0, Math.ceil(capacity * OLDEST_SHARE));
  const shortestFirst = [...demands.keys()].sort((a, b) => (demands[a] ?? 0) - (demands[b] ?? 0));
  for (const index of shortestFirst) grant(index, left);
  return shares;
};
