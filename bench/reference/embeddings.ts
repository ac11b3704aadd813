import { createHash } from "node:crypto";
import { appendFile } from "node:fs/promises";
import type { Platform } from "../../gateway/cli/agreement/platform";
import type { EmbedTexts } from "../../gateway/evals/scorers/embedding";
import { embedAnyLength } from "../../gateway/evals/scoring-thread/embed";
import { AppError } from "../../lib/errors";

/** Texts per embedding request. */
const TEXTS_AT_ONCE = 64;

export const embedOn =
  ({ services, call }: Platform): EmbedTexts =>
  async (texts) => {
    const vectors: Float32Array[] = [];
    for (let from = 0; from < texts.length; from += TEXTS_AT_ONCE) {
      const some = texts.slice(from, from + TEXTS_AT_ONCE);
      vectors.push(...(await embedAnyLength(services.embeddings, call(), some)).vectors);
    }
    return vectors;
  };

const parseLine = (line: string): { key: string; vector: string } | undefined => {
  try {
    const parsed = JSON.parse(line);
    return typeof parsed?.key === "string" && typeof parsed.vector === "string" ? parsed : undefined;
  } catch {
    return undefined;
  }
};

/**
 * Caches vectors by text in a file of JSON lines, which is created if needed, so that a fit embeds each text once.
 * Without a path it caches nothing. Throws invalid_request, with the line numbers, if the file has other content.
 */
export const openVectorCache = async (path: string | undefined): Promise<(embed: EmbedTexts) => EmbedTexts> => {
  if (path === undefined) return (embed) => embed;
  const known = new Map<string, Float32Array>();
  const file = Bun.file(path);
  const lines = (await file.exists()) ? (await file.text()).split("\n") : [];
  const wrong: number[] = [];
  for (const [at, line] of lines.entries()) {
    if (line === "") continue;
    const entry = parseLine(line);
    if (entry) known.set(entry.key, new Float32Array(new Uint8Array(Buffer.from(entry.vector, "base64")).buffer));
    else wrong.push(at + 1);
  }
  if (wrong.length > 0) {
    const which = `${wrong.length === 1 ? "line" : "lines"} ${wrong.slice(0, 20).join(", ")}`;
    throw new AppError(
      "invalid_request",
      `${path}, ${which}: not a stored vector. Delete the file or give another path.`,
    );
  }
  return (embed) => async (texts) => {
    const keys = texts.map((text) => createHash("sha256").update(text.toWellFormed()).digest("base64url"));
    const missing = [...new Set(keys)].filter((key) => !known.has(key));
    if (missing.length > 0) {
      const vectors = await embed(missing.map((key) => texts[keys.indexOf(key)] ?? ""));
      const added = missing.map((key, index) => {
        const vector = vectors[index] ?? new Float32Array();
        known.set(key, vector);
        const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
        return `${JSON.stringify({ key, vector: bytes.toString("base64") })}\n`;
      });
      await appendFile(path, added.join(""));
    }
    return keys.map((key) => known.get(key) ?? new Float32Array());
  };
};
