/** What is known about a free sequence when a prompt looks for one. */
export interface SlotState {
  /** Tokens in its KV cache. */
  cachedTokens: number;
  /** How many of them, from the start, the prompt shares. */
  sharedTokens: number;
  /** Order of last use; 0 = never. */
  lastUse: number;
}

/** A cached token that is thrown away counts for this much of one that is computed: it may never be asked for again. */
const LOSS_WEIGHT = 1 / 8;

/**
 * Index of the sequence to take: where most prefill is saved. What would be thrown away counts a little, so that a
 * new chat that shares only the system prompt leaves another one's long history alone; ties go to the least recently
 * used.
 */
export const chooseSlot = (slots: readonly SlotState[]): number => {
  const worth = ({ cachedTokens, sharedTokens }: SlotState) =>
    sharedTokens - LOSS_WEIGHT * (cachedTokens - sharedTokens);
  return slots.reduce((best, slot, index) => {
    const leader = slots[best];
    if (!leader) return index;
    const gain = worth(slot) - worth(leader);
    return gain > 0 || (gain === 0 && slot.lastUse < leader.lastUse) ? index : best;
  }, -1);
};

/**
 * Shares `capacity` tokens of one batch between prompts that still need `demands` tokens: small ones get all they
 * need, the rest is split evenly. The answer is in the order of `demands`.
 */
export const shareBatch = (demands: readonly number[], capacity: number): number[] => {
  const shares = demands.map(() => 0);
  const smallestFirst = demands.map((demand, index) => ({ demand, index })).sort((a, b) => a.demand - b.demand);
  let left = Math.max(0, capacity);
  smallestFirst.forEach(({ demand, index }, position) => {
    const share = Math.min(demand, Math.ceil(left / (demands.length - position)));
    shares[index] = share;
    left -= share;
  });
  return shares;
};
