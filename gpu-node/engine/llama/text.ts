/** How an incomplete character at the end of a text is decoded: as one to three replacement characters. */
const OPEN_CHARACTER = /\uFFFD{1,3}$/;
/** After this many tokens without a complete character, their bytes are treated as invalid. */
const MAX_OPEN_TOKENS = 32;
/** Number of earlier tokens to detokenize with, because some tokenizers add a space depending on the previous text. */
const CONTEXT_TOKENS = 8;

/**
 * Turns token ids into text that never ends in the middle of a character. `detokenize` returns the text of `tokens`
 * after `before`, with U+FFFD for bytes that don't form a character; `prompt` is the tokens before the first one.
 */
export const createTextAssembler = <Token>(
  detokenize: (tokens: readonly Token[], before: readonly Token[]) => string,
  prompt: readonly Token[] = [],
) => {
  let before = prompt.slice(-CONTEXT_TOKENS);
  /** Tokens since the last complete character, and the length of their text that was already returned. */
  let open: Token[] = [];
  let given = 0;

  const give = (text: string, end: number): string => {
    const piece = text.slice(given, end);
    given = end;
    if (end === text.length) {
      before = [...before, ...open].slice(-CONTEXT_TOKENS);
      open = [];
      given = 0;
    }
    return piece;
  };

  return {
    /** The text that this token completes; empty while a character is incomplete. */
    push(token: Token): string {
      open.push(token);
      const text = detokenize(open, before);
      const end = open.length < MAX_OPEN_TOKENS ? text.search(OPEN_CHARACTER) : -1;
      return give(text, end < 0 ? text.length : end);
    },
    /** The rest after the last token. An incomplete character becomes U+FFFD. */
    flush(): string {
      const text = open.length > 0 ? detokenize(open, before) : "";
      return give(text, text.length);
    },
  };
};

/** Finds stop strings in pieces of text. Holds back stop strings and text that may be the start of one. */
export const createStopMatcher = (stops: readonly string[]) => {
  let held = "";
  return {
    /** Text that can be shown now. After `stopped`, no more text may be pushed. */
    push(text: string): { text: string; stopped: boolean } {
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
    /** The text held back so far, for a stream that ends without a stop string. */
    flush(): string {
      const rest = held;
      held = "";
      return rest;
    },
  };
};

/** Index of the earliest stop string, or -1. */
export const firstMatch = (text: string, stops: readonly string[]): number =>
  stops.reduce((earliest, stop) => {
    const at = text.indexOf(stop);
    return at >= 0 && (earliest < 0 || at < earliest) ? at : earliest;
  }, -1);

/** Length of the longest suffix of `text` that is a prefix of a stop string. */
const openPrefixLength = (text: string, stops: readonly string[]): number => {
  const longest = Math.max(0, ...stops.map((stop) => stop.length - 1));
  for (let length = Math.min(longest, text.length); length > 0; length--) {
    const end = text.slice(-length);
    if (stops.some((stop) => stop.startsWith(end))) return length;
  }
  return 0;
};
