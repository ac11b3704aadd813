/** Turns token ids into text that never ends in the middle of a character. */
export interface TextAssembler<Token> {
  /** The text that became whole with this token; empty while a character is still open. */
  push(token: Token): string;
  /** The rest, when no token follows: an open character comes as U+FFFD. */
  flush(): string;
}

/** A UTF-8 character has four bytes at most and a token at least one, so a longer wait means bytes that are invalid. */
const MAX_OPEN_TOKENS = 4;
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
  let open: Token[] = [];
  const take = (): string => {
    const text = detokenize(open, before);
    before = [...before, ...open].slice(-CONTEXT_TOKENS);
    open = [];
    return text;
  };
  return {
    push(token) {
      open.push(token);
      const isOpen = open.length < MAX_OPEN_TOKENS && detokenize(open, before).endsWith("\uFFFD");
      return isOpen ? "" : take();
    },
    flush: () => (open.length > 0 ? take() : ""),
  };
};
