/** Turns token ids into text that never ends in the middle of a character. */
export interface TextAssembler<Token> {
  /** The text that became whole with this token; empty while a character is still open. */
  push(token: Token): string;
  /** The rest, when no token follows: an open character comes as U+FFFD. */
  flush(): string;
}

/** What a character of four bytes that lacks its last one can look like at the end of a text. */
const OPEN_CHARACTER = /\uFFFD{1,3}$/;
/** Tokens that may follow each other without one of them ending where a character does, before bytes count as invalid. */
const MAX_OPEN_TOKENS = 32;
/** Some tokenizers put a space before a word depending on what stands in front of it. */
const CONTEXT_TOKENS = 8;

/**
 * `detokenize` gives the text of `tokens` after `before`, with U+FFFD for bytes that are no whole character.
 * `prompt` are the tokens before the first one pushed.
 */
export const createTextAssembler = <Token>(
  detokenize: (tokens: readonly Token[], before: readonly Token[]) => string,
  prompt: readonly Token[] = [],
): TextAssembler<Token> => {
  let before = prompt.slice(-CONTEXT_TOKENS);
  /** Tokens since the last one that ended with a character, and how much of their text was given out. */
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
    push(token) {
      open.push(token);
      const text = detokenize(open, before);
      const end = open.length < MAX_OPEN_TOKENS ? text.search(OPEN_CHARACTER) : -1;
      return give(text, end < 0 ? text.length : end);
    },
    flush() {
      const text = open.length > 0 ? detokenize(open, before) : "";
      return give(text, text.length);
    },
  };
};
