import { cleanText, tidyLines } from "./clean-text";
import { readCsv } from "./csv";
import { decodeText } from "./decode-text";
import { declaredEncoding, detectBinary, detectText } from "./detect";
import {
  type DocumentFile,
  type DocumentMediaType,
  type ExtractedDocument,
  MAX_FILE_BYTES,
  MAX_TEXT_CHARACTERS,
  type ReadDocument,
  tooLong,
  unreadable,
} from "./document";
import { readDocx } from "./docx";
import { readHtml } from "./html";
import { oneLine, plainHeading } from "./markdown";
import { readPdf } from "./pdf/pdf";
import { readMarkdown, readPlainText } from "./plain";

export type { DocumentFile, ExtractedDocument } from "./document";

const MAX_TITLE_CHARACTERS = 500;

/**
 * Extracts the text of a file as Markdown, with its title and pages. The format is detected by content first, then by
 * name. Throws invalid_request, whose message says what is wrong with the file and what to do.
 */
export const extractDocument = async (file: DocumentFile, signal?: AbortSignal): Promise<ExtractedDocument> => {
  const { bytes } = file;
  if (bytes.length === 0) throw unreadable("The file is empty (0 bytes). Upload a file with text.");
  if (bytes.length > MAX_FILE_BYTES) {
    throw unreadable(`The file is larger than ${MAX_FILE_BYTES / 1024 / 1024} MiB. Split it into several files.`);
  }
  const { mediaType, read } = await readFile(file, signal);
  signal?.throwIfAborted();
  if (read.text.length > MAX_TEXT_CHARACTERS) throw tooLong();
  const text = read.pages ? read.text : tidyLines(cleanText(read.text));
  if (!/[\p{L}\p{N}]/u.test(text)) throw unreadable("The file has no text. Upload a file with text.");
  const title = oneLine(cleanText(read.title ?? "")) || (mediaType === "text/csv" ? "" : firstHeading(text)) || null;
  return {
    title: title?.slice(0, MAX_TITLE_CHARACTERS).toWellFormed() ?? null,
    text,
    pages: read.pages ?? [],
    mediaType,
  };
};

const readFile = async (
  file: DocumentFile,
  signal?: AbortSignal,
): Promise<{ mediaType: DocumentMediaType; read: ReadDocument }> => {
  const binary = detectBinary(file.bytes);
  if (binary === "application/pdf") return { mediaType: binary, read: await readPdf(file.bytes, signal) };
  if (binary) return { mediaType: binary, read: readDocx(file.bytes) };
  const text = decodeText(file.bytes, declaredEncoding(file.bytes));
  const mediaType = detectText(text, file);
  return { mediaType, read: readText(text, mediaType) };
};

const readText = (text: string, mediaType: DocumentMediaType): ReadDocument => {
  if (mediaType === "text/html") return readHtml(text);
  if (mediaType === "text/csv") return readCsv(text);
  if (mediaType === "text/markdown") return readMarkdown(text);
  return readPlainText(text);
};

const firstHeading = (text: string): string => oneLine(plainHeading(/^#{1,6} +(.+)$/m.exec(text)?.[1] ?? ""));
