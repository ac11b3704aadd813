import { toAppError } from "../../../lib/errors";
import type { Call } from "../../call";
import type { EmbeddingService } from "../../embeddings/service";

/** Only the first characters are embedded, because sentence models don't gain from longer texts. */
const MAX_CHARACTERS = 1500;
/** A text is halved at most this many times; then nothing is left. */
const MAX_HALVINGS = 12;

/** Cuts between characters. */
const cut = (text: string, length: number): string => {
  const part = text.slice(0, length);
  return part.isWellFormed() ? part : part.slice(0, -1);
};

/**
 * Vectors of texts of any length. A text that is too long for the model is halved until it fits. An empty text gets a
 * vector of zeros. Throws what the embedding service throws.
 */
export const embedAnyLength = async (
  embeddings: Pick<EmbeddingService, "embedTexts">,
  call: Call,
  texts: readonly string[],
): Promise<Float32Array[]> => {
  const all = texts.map((text) => cut(text.toWellFormed(), MAX_CHARACTERS));
  const filled = [...all.keys()].filter((index) => all[index]?.trim() !== "");
  for (let cuts = 0; ; cuts++) {
    try {
      const asked = filled.map((index) => all[index] ?? "");
      const { vectors } = await embeddings.embedTexts(call, asked);
      const empty = () => new Float32Array(vectors[0]?.length ?? 0);
      return all.map((_, index) => vectors[filled.indexOf(index)] ?? empty());
    } catch (thrown) {
      const { kind, detail } = toAppError(thrown);
      const index = filled[Number(detail.param?.replace("input.", ""))];
      if (kind !== "context_length_exceeded" || index === undefined || cuts === MAX_HALVINGS * filled.length)
        throw thrown;
      all[index] = cut(all[index] ?? "", Math.ceil((all[index] ?? "").length / 2));
    }
  }
};
