import { toAppError } from "../../../lib/errors";
import type { Call } from "../../call";
import type { EmbeddedTexts, EmbeddingService } from "../../embeddings/service";

/** Only the first characters are embedded, because sentence models don't gain from longer texts. */
const MAX_CHARACTERS = 1500;
/** Just below the context window of most sentence models. */
const MAX_TOKENS = 480;
/** A text is halved at most this many times; then nothing is left. */
const MAX_HALVINGS = 12;

/** Approximate tokens per character: Latin words are split into pieces, other scripts into letters, Hangul into jamo. */
const tokensOf = (code: number): number => {
  if (code < 0x300) return MAX_TOKENS / MAX_CHARACTERS;
  return code >= 0xac00 && code <= 0xd7a3 ? 3 : 1;
};

/** Cuts between characters. */
const cut = (text: string, length: number): string => {
  const part = text.slice(0, length);
  return part.isWellFormed() ? part : part.toWellFormed().slice(0, -1);
};

/** The beginning of a text, short enough for most models in nearly every script. Equal texts are cut equally. */
const beginning = (text: string): string => {
  let tokens = 0;
  let length = 0;
  while (length < Math.min(text.length, MAX_CHARACTERS)) {
    tokens += tokensOf(text.charCodeAt(length));
    if (tokens > MAX_TOKENS) break;
    length++;
  }
  return cut(text, length);
};

/**
 * Embeds texts of any length. Only the beginning of a text that is too long for the model is embedded. An empty text gets
 * a vector of zeros. Throws what the embedding service throws.
 */
export const embedAnyLength = async (
  embeddings: Pick<EmbeddingService, "embedTexts">,
  call: Call,
  texts: readonly string[],
): Promise<EmbeddedTexts> => {
  const filled = texts.flatMap((text, index) =>
    text.trim() === "" ? [] : [{ index, text: beginning(text.toWellFormed()) }],
  );
  for (let cuts = 0; ; cuts++) {
    try {
      const embedded = await embeddings.embedTexts(
        call,
        filled.map(({ text }) => text),
      );
      const length = embedded.vectors[0]?.length ?? 0;
      const vectors = texts.map((): Float32Array => new Float32Array(length));
      for (const [place, { index }] of filled.entries()) {
        const vector = embedded.vectors[place];
        if (vector) vectors[index] = vector;
      }
      return { ...embedded, vectors };
    } catch (thrown) {
      const { kind, detail } = toAppError(thrown);
      const [, place] = /^input\.(\d+)$/.exec(detail.param ?? "") ?? [];
      const tooLong = kind === "context_length_exceeded" ? filled[Number(place)] : undefined;
      if (!tooLong || cuts === MAX_HALVINGS * filled.length) throw thrown;
      tooLong.text = cut(tooLong.text, Math.ceil(tooLong.text.length / 2));
    }
  }
};
