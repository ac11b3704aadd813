/** Finds stop strings in a stream of text pieces, wherever the pieces are cut. */
export interface StopMatcher {
  /** Text that can be shown now; `stopped` once a stop string has come, and then nothing more may be pushed. */
  push(text: string): { text: string; stopped: boolean };
  /** What was held back when the stream ends without a stop string. */
  flush(): string;
}

/** The earliest match wins and is never shown, nor is any part of a stop string that might still be completed. */
export const createStopMatcher = (stops: readonly string[]): StopMatcher => {
  let held = "";
  return {
    push(text) {
      const seen = held + text;
      const at = firstMatch(seen, stops);
      if (at >= 0) {
        held = "";
        return { text: seen.slice(0, at), stopped: true };
      }
      const safe = seen.length - openPrefixLength(seen, stops);
      held = seen.slice(safe);
      return { text: seen.slice(0, safe), stopped: false };
    },
    flush() {
      const rest = held;
      held = "";
      return rest;
    },
  };
};

const firstMatch = (text: string, stops: readonly string[]): number =>
  stops.reduce((earliest, stop) => {
    const at = text.indexOf(stop);
    return at >= 0 && (earliest < 0 || at < earliest) ? at : earliest;
  }, -1);

/** Length of the longest end of `text` that some stop string begins with. */
const openPrefixLength = (text: string, stops: readonly string[]): number => {
  const longest = Math.max(0, ...stops.map((stop) => stop.length - 1));
  for (let length = Math.min(longest, text.length); length > 0; length--) {
    const end = text.slice(-length);
    if (stops.some((stop) => stop.startsWith(end))) return length;
  }
  return 0;
};
