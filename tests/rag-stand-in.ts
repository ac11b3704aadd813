import type { DocumentMediaType } from "../gateway/rag/ingest/extract/document";
import type { Pipeline } from "../jobs/rag-pipeline";
import { AppError } from "../lib/errors";

/**
 * Extraction and chunking for tests: a text is stored as it is, each paragraph is a chunk, and form feeds end pages. A file
 * that contains "unreadable" is refused, and one with "endless" is read until it is cancelled.
 */
export const standIn: Pipeline = {
  async extract({ name, bytes, mediaType = "text/plain" }, signal = new AbortController().signal) {
    const text = new TextDecoder().decode(bytes);
    if (text.includes("unreadable")) throw new AppError("invalid_request", `${name} is damaged. Save it again.`);
    if (text.includes("endless")) {
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
    }
    const pages = text.includes("\f") ? [0, ...[...text.matchAll(/\f/g)].map(({ index }) => index + 1)] : [];
    return { title: /^# (.*)$/m.exec(text)?.[1] ?? null, text, pages, mediaType: mediaType as DocumentMediaType };
  },

  async chunk({ text, pages }, { title, countTokens }) {
    const found = [...text.matchAll(/[^\n\f]+(?:\n[^\n\f]+)*/g)];
    const tokens = await countTokens(found.map(([paragraph]) => paragraph));
    return found.map(({ 0: paragraph, index: start }, position) => ({
      start,
      end: start + paragraph.length,
      text: paragraph,
      heading: null,
      page: pages.length === 0 ? null : pages.filter((page) => page <= start).length,
      tokens: tokens[position] ?? 0,
      searchText: `${title}\n${paragraph}`,
    }));
  },
};
