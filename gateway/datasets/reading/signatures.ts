/** Kinds of files that no reader takes, by the bytes that they begin with. The first that fits counts. */
interface Signature {
  /** undefined stands for any byte. */
  bytes: readonly (number | undefined)[];
  /** Completes "The file is …". */
  what: string;
  todo: string;
}

const ascii = (text: string): number[] => [...text].map((letter) => letter.charCodeAt(0));

const unpack = "Unpack it and upload what is inside.";
const asUtf8 = "Save it as UTF-8 and upload it again.";
const sheet = "Export the sheet as CSV (UTF-8) and upload that.";

const SIGNATURES: readonly Signature[] = [
  { bytes: [0x1f, 0x8b], what: "compressed with gzip", todo: unpack },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], what: "compressed with zstd", todo: unpack },
  { bytes: [0xfd, ...ascii("7zXZ")], what: "compressed with xz", todo: unpack },
  { bytes: [...ascii("BZh"), undefined, ...ascii("1AY&SY")], what: "compressed with bzip2", todo: unpack },
  { bytes: [...ascii("7z"), 0xbc, 0xaf, 0x27, 0x1c], what: "a 7z archive", todo: unpack },
  {
    bytes: [...ascii("PK"), 3, 4],
    what: "a zip archive, as .xlsx and .ods are inside",
    todo: `${sheet} Of another archive, unpack it and upload what is inside.`,
  },
  { bytes: [0xd0, 0xcf, 0x11, 0xe0], what: "an old Office document", todo: sheet },
  { bytes: ascii("%PDF-"), what: "a PDF", todo: "Upload JSONL, JSON, CSV or Parquet." },
  { bytes: ascii("SQLite format 3\0"), what: "an SQLite database", todo: "Export the table as CSV and upload that." },
  { bytes: ascii("ARROW1\0"), what: "an Arrow file", todo: "Write it as Parquet and upload that." },
  { bytes: [0xff, 0xfe, 0, 0], what: "text in UTF-32", todo: asUtf8 },
  { bytes: [0, 0, 0xfe, 0xff], what: "text in UTF-32", todo: asUtf8 },
  { bytes: [0xff, 0xfe], what: "text in UTF-16", todo: asUtf8 },
  { bytes: [0xfe, 0xff], what: "text in UTF-16", todo: asUtf8 },
];

export const startsWith = (head: Uint8Array, bytes: Signature["bytes"]): boolean =>
  bytes.every((byte, i) => byte === undefined || head[i] === byte);

/** Text in UTF-16 without its mark: of the first two letters one byte each is 0. */
const UNMARKED_UTF16: Signature = { bytes: [], what: "text in UTF-16", todo: asUtf8 };
const isUnmarkedUtf16 = ([a, b, c, d]: Uint8Array): boolean =>
  a !== undefined && b !== undefined && (a === 0) !== (b === 0) && (c === 0) === (a === 0) && (d === 0) === (b === 0);

/** What the file is, where no reader takes it. */
export const findSignature = (head: Uint8Array): Signature | undefined =>
  SIGNATURES.find(({ bytes }) => startsWith(head, bytes)) ?? (isUnmarkedUtf16(head) ? UNMARKED_UTF16 : undefined);
