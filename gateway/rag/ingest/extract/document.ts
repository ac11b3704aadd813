import { AppError } from "../../../../lib/errors";

/** A file as it was uploaded. */
export interface DocumentFile {
  name: string;
  bytes: Uint8Array;
  /** The sender's media type. The content takes precedence. */
  mediaType?: string;
}

export type DocumentMediaType =
  | "text/plain"
  | "text/markdown"
  | "text/html"
  | "application/pdf"
  | "text/csv"
  | "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

export interface ExtractedDocument {
  /** From the format (HTML title, Word or PDF properties), otherwise the first heading. */
  title: string | null;
  /** Markdown in NFC with LF line endings, without zero-width and control characters. */
  text: string;
  /** UTF-16 offset of each page in `text`, in order; empty if the format has no pages. */
  pages: number[];
  mediaType: DocumentMediaType;
}

/** The result of a format's reader. The text is not cleaned yet, except a PDF's, because page offsets depend on it. */
export interface ReadDocument {
  title: string | null;
  text: string;
  pages?: number[];
}

export const MAX_FILE_BYTES = 32 * 1024 * 1024;
/** Maximum characters of the stored text. */
export const MAX_TEXT_CHARACTERS = 10_000_000;

/** The error for a file that can't be read. `message` says what is wrong with the file and what to do. */
export const unreadable = (message: string, cause?: unknown): AppError =>
  new AppError("invalid_request", message, { cause });

export const tooLong = (): AppError =>
  unreadable(`The file has more than ${MAX_TEXT_CHARACTERS} characters of text. Split it into several files.`);
