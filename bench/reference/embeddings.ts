import { createHash } from "node:crypto";
import type { EmbedTexts } from "../../gateway/evals/scorers/types";

/** Remembers vectors by text in a file of JSON lines, so that a fit embeds each text once. */
export const cachedEmbeddings = async (path: string, embed: EmbedTexts): Promise<EmbedTexts> => {
  const known = new Map<string, Float32Array>();
  const file = Bun.file(path);
  const lines = (await file.exists()) ? (await file.text()).split("\n").filter(Boolean) : [];
  for (const line of lines) {
    const { key, vector }: { key: string; vector: string } = JSON.parse(line);
    known.set(key, new Float32Array(new Uint8Array(Buffer.from(vector, "base64")).buffer));
  }
  const { appendFile } = await import("node:fs/promises");
  return async (texts) => {
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
