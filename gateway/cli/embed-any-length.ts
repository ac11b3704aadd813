import { toAppError } from "../../lib/errors";
import type { Call } from "../call";
import type { EmbeddingService } from "../embeddings/service";

/** Maximum number of characters that are embedded. Sentence models gain nothing from longer texts. */
const MAX_CHARACTERS = 1500;

/**
 * Embeds texts of any length, in order. A text that is too long for the model is halved until the model accepts it. An
 * empty text gets an empty vector. Throws what the embedding service throws.
 */
export const embedAnyLength = async (
  embeddings: Pick<EmbeddingService, "embedTexts">,
  call: Call,
  texts: readonly string[],
  maxLength = MAX_CHARACTERS,
): Promise<Float32Array[]> => {
  const cut = texts.map((text) => text.slice(0, maxLength).toWellFormed());
  const filled = cut.filter((text) => text.trim() !== "");
  try {
    const { vectors } = filled.length > 0 ? await embeddings.embedTexts(call, filled) : { vectors: [] };
    const left = vectors.values();
    return cut.map((text) => (text.trim() === "" ? undefined : left.next().value) ?? new Float32Array());
  } catch (thrown) {
    const [only] = texts;
    if (toAppError(thrown).kind !== "context_length_exceeded" || only === undefined || maxLength === 1) throw thrown;
    if (texts.length === 1) return embedAnyLength(embeddings, call, texts, Math.ceil(maxLength / 2));
    return (await Promise.all(texts.map((text) => embedAnyLength(embeddings, call, [text], maxLength)))).flat();
  }
};
