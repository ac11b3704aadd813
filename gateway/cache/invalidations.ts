/**
 * Maximum number of remembered targets. When it is exceeded, all of them are forgotten, and every answer in progress
 * counts as invalidated.
 */
const MAX_TARGETS = 10_000;

/**
 * Remembers the last invalidation of each target, so that an answer in progress is neither stored nor joined after one
 * of its targets was invalidated. A target is a tag, which contains a colon, or a key, which doesn't.
 */
export const createInvalidations = (maxTargets = MAX_TARGETS) => {
  const lastByTarget = new Map<string, number>();
  let count = 0;
  /** The value of `count` when the targets were last forgotten. */
  let forgotten = 0;

  return {
    add: (target: string): void => {
      if (lastByTarget.size >= maxTargets && !lastByTarget.has(target)) {
        lastByTarget.clear();
        forgotten = count;
      }
      lastByTarget.set(target, ++count);
    },

    /** The returned function says whether any of `targets` was invalidated after this call. */
    watch: (targets: readonly string[]): (() => boolean) => {
      const start = count;
      return () => forgotten > start || targets.some((target) => (lastByTarget.get(target) ?? 0) > start);
    },
  };
};
