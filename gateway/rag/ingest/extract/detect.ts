import { type DocumentFile, type DocumentMediaType, unreadable } from "./document";

const DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
/** A PDF may start with other bytes. Readers look for its mark in this many bytes. */
const PDF_HEAD_BYTES = 1024;
const PAGE_START =
  /^\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--[\s\S]{0,2000}?-->\s*)*<(?:!doctype\s+html|html|head|body)[\s>]/i;

const BY_EXTENSION: Readonly<Record<string, DocumentMediaType>> = {
  html: "text/html",
  htm: "text/html",
  xhtml: "text/html",
  md: "text/markdown",
  markdown: "text/markdown",
  mdx: "text/markdown",
  csv: "text/csv",
  tsv: "text/csv",
};

/** Unsupported formats that get a specific error message. */
const UNSUPPORTED: readonly [start: string, message: string][] = [
  [
    "\xd0\xcf\x11\xe0",
    "The file is an old Office document, or it has a password. Save it as DOCX or PDF without a password.",
  ],
  ["{\\rtf", "The file is in RTF format, which is not supported. Save it as DOCX or PDF."],
  [
    "\x89PNG",
    "The file is an image, so it has no text. Run OCR on it, and upload the text or a PDF with a text layer.",
  ],
  [
    "\xff\xd8\xff",
    "The file is an image, so it has no text. Run OCR on it, and upload the text or a PDF with a text layer.",
  ],
  ["GIF8", "The file is an image, so it has no text. Run OCR on it, and upload the text or a PDF with a text layer."],
  ["\x1f\x8b", "The file is compressed with gzip. Unpack it and upload the documents in it."],
  ["7z\xbc\xaf", "The file is a 7z archive. Unpack it and upload the documents in it."],
  ["Rar!", "The file is a RAR archive. Unpack it and upload the documents in it."],
];

/** Detects a binary format by its first bytes; undefined for text. Throws invalid_request for unsupported formats. */
export const detectBinary = (bytes: Uint8Array): typeof DOCX | "application/pdf" | undefined => {
  const head = Buffer.from(bytes.subarray(0, PDF_HEAD_BYTES)).toString("latin1");
  const mark = head.search(/%PDF-\d/);
  if (mark >= 0 && (head.slice(0, mark).trim() === "" || hasControls(bytes.subarray(0, mark))))
    return "application/pdf";
  if (head.startsWith("PK\x03\x04") || head.startsWith("PK\x05\x06")) return DOCX;
  const found = UNSUPPORTED.find(([start]) => head.startsWith(start));
  if (found) throw unreadable(found[1]);
  return undefined;
};

/** Text may mention the PDF mark. Only binary data has control characters before it. */
const hasControls = (bytes: Uint8Array): boolean => bytes.some((byte) => byte < 9 || (byte > 13 && byte < 27));

/** Detects a text format by its first characters, then by the file name, then by the sender's media type. */
export const detectText = (text: string, { name, mediaType = "" }: DocumentFile): DocumentMediaType => {
  if (PAGE_START.test(text.slice(0, 5000))) return "text/html";
  const extension = /\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
  const byName = BY_EXTENSION[extension];
  if (byName) return byName;
  const [type = ""] = mediaType.toLowerCase().split(";");
  const said = Object.values(BY_EXTENSION).find((each) => each === type.trim());
  return said && extension !== "txt" ? said : "text/plain";
};

/** The encoding that an HTML page or XML document declares. */
export const declaredEncoding = (bytes: Uint8Array): string | undefined => {
  const head = Buffer.from(bytes.subarray(0, 2048)).toString("latin1");
  return (
    /<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w-]+)/i.exec(head)?.[1] ??
    /^<\?xml[^>]{0,100}encoding=["']([\w-]+)/.exec(head)?.[1]
  );
};
