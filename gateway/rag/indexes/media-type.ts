import type { RagDocument } from "./contract";

type MediaType = RagDocument["media_type"];

const BY_ENDING: Readonly<Record<string, MediaType>> = {
  md: "text/markdown",
  markdown: "text/markdown",
  html: "text/html",
  htm: "text/html",
  csv: "text/csv",
  pdf: "application/pdf",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
};

/** The type that a file name suggests. Reading the file may correct it. */
export const mediaTypeOf = (fileName: string): MediaType =>
  BY_ENDING[fileName.split(".").at(-1)?.toLowerCase() ?? ""] ?? "text/plain";
