import { AppError } from "../../../../lib/errors";

/** A file as it was uploaded. */
export interface DocumentFile {
  name: string;
  bytes: Uint8Array;
  /** What the sender says it is; the bytes count more. */
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
  /** Markdown in NFC with LF line ends, without zero-width and control characters. */
  text: string;
  /** UTF-16 offset in `text` where each page begins, in order; empty without pages. */
  pages: number[];
  mediaType: DocumentMediaType;
}

/** What a format's reader returns. Its text is not cleaned yet, except a PDF's, whose page offsets depend on it. */
export interface ReadDocument {
  title: string | null;
  text: string;
  pages?: number[];
}

export const MAX_FILE_BYTES = 32 * 1024 * 1024;
/** Characters of the stored text. */
export const MAX_TEXT_CHARACTERS = 10_000_000;

/** `message` says what is wrong with the file and what to do. */
export const unreadable = (message: string, cause?: unknown): AppError =>
  new AppError("invalid_request", message, { cause });

export const tooLong = (): AppError =>
  unreadable(
    `The text of the file is larger than the limit of ${MAX_TEXT_CHARACTERS} characters. Split it into several files.`,
  );
