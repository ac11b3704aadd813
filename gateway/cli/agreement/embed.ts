import { toAppError } from "../../../lib/errors";
import type { Call } from "../../call";
import type { EmbeddedTexts, EmbeddingService } from "../../embeddings/service";

/** Longer texts say no more to a sentence model; whatever the script, the first part is embedded. */
const MOST_CHARACTERS = 1500;
/** Just below the window of most sentence models. */
const MOST_TOKENS = 480;
/** How often one text is halved: then nothing is left of it. */
const MOST_CUTS = 12;

/** Tokens that a character takes about: Latin words are cut into pieces, other scripts into letters, Hangul into their parts. */
const tokensOf = (code: number): number => {
  if (code < 0x300) return MOST_TOKENS / MOST_CHARACTERS;
  return code >= 0xac00 && code <= 0xd7a3 ? 3 : 1;
};

/** Cuts at a character's border. */
const cut = (text: string, length: number): string => {
  const part = text.slice(0, length);
  return part.isWellFormed() ? part : part.toWellFormed().slice(0, -1);
};

/** The beginning that a model takes at once in nearly every script. It depends on the text alone, as its vector has to. */
const beginning = (text: string): string => {
  let tokens = 0;
  let length = 0;
  while (length < Math.min(text.length, MOST_CHARACTERS)) {
    tokens += tokensOf(text.charCodeAt(length));
    if (tokens > MOST_TOKENS) break;
    length++;
  }
  return cut(text, length);
};

/**
 * Vectors of texts of any length: of one that is too long for the model, its beginning. A text without a character has
 * none: its vector is all zeros, like nothing else. Throws what the embedding service throws.
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
      if (!tooLong || cuts === MOST_CUTS * filled.length) throw thrown;
      tooLong.text = cut(tooLong.text, Math.ceil(tooLong.text.length / 2));
    }
  }
};
