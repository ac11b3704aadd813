import { noteRead } from "./limits";
import type { Warn } from "./rows";

/** Byte order mark. Concatenated files can also contain it in the middle. */
export const BOM = "\ufeff";
/** Character codes of a line break. */
export const LF = 10;
export const CR = 13;
/** NUL, and the DOS end-of-file mark. Some programs pad files with them. */
const PADDING = new Set(["\0", "\x1a"]);
const SPACE = new Set(["\r", "\n", " ", "\t"]);
/** Maximum number of padding characters held back until it is known whether text follows. */
const MAX_HELD_PADDING = 1_048_576;

/**
 * Decodes bytes in chunks. Drops a byte order mark at the beginning, and NUL bytes and Ctrl-Z at the end. UTF-16 is
 * recognised by its byte order mark or its zeros. Bytes that are not UTF-8 become `BAD_BYTE`, which rejects the row
 * that contains them.
 */
export async function* decodeText(blocks: AsyncIterable<Uint8Array>, warn: Warn): AsyncGenerator<string> {
  let decode: ((bytes: Uint8Array, isLast: boolean) => string) | undefined;
  let padding = "";
  let isBegun = false;
  for await (const { bytes, isLast } of withLast(blocks)) {
    noteRead(bytes.length);
    decode ??= decoderFor(bytes, warn);
    const piece = decode(bytes, isLast);
    const text = !isBegun && piece.startsWith(BOM) ? piece.slice(BOM.length) : piece;
    isBegun ||= piece !== "";
    const end = startOfPadding(text, padding !== "");
    if (end > 0) {
      yield padding + text.slice(0, end);
      padding = "";
    }
    if (padding.length < MAX_HELD_PADDING) padding += text.slice(end);
  }
  if (padding === "") return;
  warn(padding.includes("\0") ? NUL_AT_END : END_MARK);
}

const END_MARK = { line: null, column: null, message: "the end-of-file mark (Ctrl-Z) at the end is left out." };

export const NUL_AT_END = {
  line: null,
  column: null,
  message: "NUL bytes at the end of the file are left out. Was it copied in full?",
};

/**
 * Where the padding at the end of a text starts, including whitespace in and after it. `isOpen`: the padding started in
 * an earlier chunk.
 */
const startOfPadding = (text: string, isOpen: boolean): number => {
  let start = text.length;
  for (let at = text.length - 1; ; at--) {
    const character = text.charAt(at);
    if (PADDING.has(character)) start = at;
    else if (!SPACE.has(character)) return at < 0 && isOpen ? 0 : start;
  }
};

async function* withLast(blocks: AsyncIterable<Uint8Array>): AsyncGenerator<{ bytes: Uint8Array; isLast: boolean }> {
  let held: Uint8Array | undefined;
  for await (const block of blocks) {
    if (held) yield { bytes: held, isLast: false };
    held = block;
  }
  if (held) yield { bytes: held, isLast: true };
}

/** Chooses the decoder from the first bytes of the file. */
const decoderFor = (head: Uint8Array, warn: Warn) => {
  const utf16 = utf16Of(head);
  if (!utf16) return utf8Decoder();
  const decoder = new TextDecoder(utf16, { ignoreBOM: true });
  warn({
    line: null,
    column: null,
    message: "the file was read as UTF-16. If characters look wrong, save it as UTF-8.",
  });
  return (bytes: Uint8Array, isLast: boolean) => {
    const text = decoder.decode(bytes, { stream: !isLast });
    // Drops half a code unit of padding.
    return isLast && bytes.at(-1) === 0 && text.endsWith("\ufffd") ? text.slice(0, -1) : text;
  };
};

/** Bytes in which the first two letters decide, and those in which most letters do. */
const FIRST_BYTES = 32;
const SNIFFED_BYTES = 4096;

/**
 * The byte order of UTF-16 text, from its byte order mark, or from its zero bytes: those of its first two letters if they
 * are ASCII, or because every other byte is zero, as in Latin text.
 */
export const utf16Of = (head: Uint8Array): "utf-16le" | "utf-16be" | undefined => {
  const [a, b, c, d] = head;
  if (a === 0xff && b === 0xfe) return "utf-16le";
  if (a === 0xfe && b === 0xff) return "utf-16be";
  const hasLetters = (from: 0 | 1) => head.subarray(0, FIRST_BYTES).every((byte, i) => i % 2 !== from || byte !== 0);
  if (b === 0 && d === 0 && hasLetters(0)) return "utf-16le";
  if (a === 0 && c === 0 && hasLetters(1)) return "utf-16be";
  if (head.length < FIRST_BYTES) return undefined;
  const zeros: [even: number, odd: number] = [0, 0];
  const sniffed = head.subarray(0, SNIFFED_BYTES);
  for (const [i, byte] of sniffed.entries()) if (byte === 0) zeros[i % 2 === 0 ? 0 : 1]++;
  const isMost = (count: number, other: number) => count > sniffed.length * 0.2 && other < sniffed.length * 0.01;
  if (isMost(zeros[1], zeros[0])) return "utf-16le";
  return isMost(zeros[0], zeros[1]) ? "utf-16be" : undefined;
};

/** Moves the bytes of a character split at the end of a block into the next block. */
const utf8Decoder = () => {
  let rest: Uint8Array = new Uint8Array();
  return (block: Uint8Array, isLast: boolean): string => {
    const bytes = rest.length > 0 ? Buffer.concat([rest, block]) : block;
    const length = isLast ? bytes.length : wholeLength(bytes);
    rest = bytes.slice(length);
    return decodeUtf8(bytes.subarray(0, length));
  };
};

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const REPLACEMENT = "\ufffd";
const REPLACEMENT_BYTES = Buffer.from(REPLACEMENT);
/** A lone surrogate, which valid text never contains. */
export const BAD_BYTE = "\udc80";

const decodeUtf8 = (bytes: Uint8Array): string => {
  try {
    return strict.decode(bytes);
  } catch {
    return markBadBytes(bytes);
  }
};

/**
 * Splits at the file's own replacement characters and decodes the text between them separately. So the remaining
 * replacement characters are the decoder's.
 */
const markBadBytes = (bytes: Uint8Array): string => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: string[] = [];
  for (let from = 0, end = 0; end < buffer.length; from = end + REPLACEMENT_BYTES.length) {
    const found = buffer.indexOf(REPLACEMENT_BYTES, from);
    end = found < 0 ? buffer.length : found;
    parts.push(lenient.decode(buffer.subarray(from, end)).replaceAll(REPLACEMENT, BAD_BYTE));
  }
  return parts.join(REPLACEMENT);
};

/** The number of bytes up to the end of the last complete character. */
const wholeLength = (bytes: Uint8Array): number => {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) {
      const size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return back < size ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
};

/** Tracks the line and character in a text. CRLF, LF and CR end a line, even if a chunk ends between CR and LF. */
export class LineCounter {
  #isAfterCr = false;

  /** Line and character of the next character, from 1. */
  constructor(
    public line = 1,
    public character = 1,
  ) {}

  pass(text: string): void {
    let lineStart = 1 - this.character;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === LF || code === CR) {
        if (code === CR || !this.#isAfterCr) this.line++;
        lineStart = i + 1;
      }
      this.#isAfterCr = code === CR;
    }
    this.character = text.length - lineStart + 1;
  }
}

/** The position in the file of offset `at`, in a text that starts at `line` and `character`. */
export const placeIn = (
  text: string,
  at: number,
  { line, character }: { line: number; character: number },
): LineCounter => {
  const counter = new LineCounter(line, character);
  counter.pass(text.slice(0, at));
  return counter;
};
