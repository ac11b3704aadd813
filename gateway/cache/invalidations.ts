/** Targets that are remembered. One more forgets them all, and every answer in progress then counts as invalidated. */
const MAX_TARGETS = 10_000;

/**
 * The last invalidation of each target, so that an answer in progress is neither stored nor joined if one of its targets
 * is invalidated. A target is a tag, which has a colon, or a key, which has none.
 */
export const createInvalidations = (maxTargets = MAX_TARGETS) => {
  const lastByTarget = new Map<string, number>();
  let count = 0;
  /** Number of the last invalidation that was forgotten. */
  let forgotten = 0;

  return {
    add: (target: string): void => {
      if (lastByTarget.size >= maxTargets && !lastByTarget.has(target)) {
        lastByTarget.clear();
        forgotten = count;
      }
      lastByTarget.set(target, ++count);
    },

    /** The returned function tells whether any of `targets` has been invalidated since this call. */
    watch: (targets: readonly string[]): (() => boolean) => {
      const start = count;
      return () => forgotten > start || targets.some((target) => (lastByTarget.get(target) ?? 0) > start);
    },
  };
};
