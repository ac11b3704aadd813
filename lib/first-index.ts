/**
 * The first of `length` indexes that passes, found by bisection; `length` if none passes. Every index after a passing
 * one must pass too.
 */
export const firstIndex = (length: number, passes: (index: number) => boolean): number => {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (passes(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
};
