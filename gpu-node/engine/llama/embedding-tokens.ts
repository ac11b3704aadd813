import { type EmbeddingInput, inputTooLong } from "../embedding-parameters";
import { refuse } from "../fields";

/** What tokens of an input need of a model. */
export interface TokenizerModel<Token> {
  /** Text that spells a control token stays text. */
  tokenize(text: string): Token[];
  /** Stands before every text, and after it. */
  first?: Token;
  last?: Token;
  vocabularySize: number;
  contextWindow: number;
}

/**
 * Tokens of an input as the model reads it: those of a text, or those that were given, between the model's own first and
 * last. `param` is what an error calls the input. Throws context_length_exceeded, and invalid_request for ids that the
 * model doesn't have.
 */
export type EmbeddingTokenizer<Token> = (input: EmbeddingInput, param: string) => Token[];

/** A text of more characters than this for each token of the window is tried by its beginning before all of it is tokenized. */
const CHARACTERS_PER_TOKEN = 32;

export const createEmbeddingTokenizer = <Token extends number>({
  tokenize,
  first,
  last,
  vocabularySize,
  contextWindow,
}: TokenizerModel<Token>): EmbeddingTokenizer<Token> => {
  const isToken = (id: number): id is Token => id < vocabularySize;
  const withEnds = (tokens: Token[]): Token[] => [
    ...(first === undefined || tokens[0] === first ? [] : [first]),
    ...tokens,
    ...(last === undefined || tokens.at(-1) === last ? [] : [last]),
  ];

  const refuseLongText = (text: string, param: string): void => {
    const tried = contextWindow * CHARACTERS_PER_TOKEN;
    if (text.length <= tried) return;
    const { length } = tokenize(text.slice(0, tried).toWellFormed());
    if (length > contextWindow) throw inputTooLong(contextWindow, `at least ${length}`, param);
  };

  return (input, param) => {
    if (typeof input !== "string" && !input.every(isToken)) {
      throw refuse(param, `${param} must hold token ids below ${vocabularySize}.`);
    }
    if (typeof input === "string") refuseLongText(input, param);
    const tokens = withEnds(typeof input === "string" ? tokenize(input) : input);
    if (tokens.length > contextWindow) throw inputTooLong(contextWindow, String(tokens.length), param);
    return tokens;
  };
};
