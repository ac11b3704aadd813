import type { LlamaModel, Token } from "node-llama-cpp";
import type { TokenLogprob } from "../engine";

/** OpenAI's value for nearly impossible tokens, because JSON has no -Infinity. */
const MIN_LOGPROB = -9999;

/**
 * The log probabilities of a token and of the `top` most likely tokens, in the distribution that was sampled from:
 * after temperature, top_k, top_p, min_p and grammar. `probabilities` is sorted, most likely first.
 */
export const readLogprob = (
  model: LlamaModel,
  token: Token,
  probabilities: ReadonlyMap<Token, number>,
  top: number,
): TokenLogprob => {
  const describe = (id: Token, probability: number) => ({
    token: model.detokenize([id], true),
    logprob: Math.max(Math.log(probability), MIN_LOGPROB),
    bytes: tokenBytes(model, id),
  });
  const likeliest = probabilities.entries().take(top);
  return {
    ...describe(token, probabilities.get(token) ?? 0),
    top: [...likeliest].map(([id, probability]) => describe(id, probability)),
  };
};

const encoder = new TextEncoder();

/**
 * The bytes of one token, which may be part of a character (its text is then U+FFFD). They are read from the
 * vocabulary, where byte-level BPE writes each byte as a character and SentencePiece writes single bytes as `<0xE2>`.
 */
const tokenBytes = (model: LlamaModel, token: Token): number[] => {
  const { model: kind, tokens } = model.fileInfo.metadata.tokenizer.ggml;
  const entry = tokens[token] ?? "";
  const text = () => [...encoder.encode(model.detokenize([token], true))];
  if (kind === "gpt2") return bytesOfBpe(entry) ?? text();
  const lone = kind === "llama" ? /^<0x([0-9A-F]{2})>$/.exec(entry)?.[1] : undefined;
  return lone === undefined ? text() : [Number.parseInt(lone, 16)];
};

/** Returns undefined for an entry that is not byte-encoded, such as some control tokens. */
export const bytesOfBpe = (entry: string): number[] | undefined => {
  const bytes = [...entry].map((character) => BYTE_OF.get(character));
  return bytes.every((byte) => byte !== undefined) ? bytes : undefined;
};

/** GPT-2's byte table: printable Latin-1 bytes map to themselves, the others to characters from U+0100 on. */
const BYTE_OF: ReadonlyMap<string, number> = (() => {
  const isPrintable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
  let next = 256;
  return new Map(
    Array.from({ length: 256 }, (_, byte) => [String.fromCodePoint(isPrintable(byte) ? byte : next++), byte]),
  );
})();
