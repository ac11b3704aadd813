import { noteRead } from "./garbage";
import { LineCounter } from "./line-counter";
import { invalid } from "./problems";

const BOM = "\ufeff";

/**
 * Bytes as text, piece by piece; a byte order mark at the beginning is dropped. Throws dataset_invalid with line and
 * character at the first byte that is not UTF-8 and at NUL, after the text before it.
 */
export async function* decodeText(blocks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const place = new LineCounter();
  let isFirst = true;
  for await (const whole of wholeCharacters(blocks)) {
    const { text, fault } = decode(whole);
    const piece = isFirst && text.startsWith(BOM) ? text.slice(BOM.length) : text;
    isFirst = false;
    place.pass(piece);
    yield piece;
    if (fault) throw invalid(fault, place);
  }
}

/** The text up to what is not allowed in it. */
const decode = (bytes: Uint8Array): { text: string; fault?: string } => {
  const text = tryDecode(bytes);
  if (text === undefined) {
    const before = tryDecode(bytes.subarray(0, faultAt(bytes))) ?? "";
    return { text: before, fault: "a byte here is not UTF-8. Save the file as UTF-8 and upload it again." };
  }
  const nul = text.indexOf("\0");
  return nul < 0 ? { text } : { text: text.slice(0, nul), fault: "NUL is not allowed in text. Is this a text file?" };
};

const tryDecode = (bytes: Uint8Array, isCut = false): string | undefined => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: isCut });
  } catch {
    return undefined;
  }
};

/** The longest beginning that may go on as UTF-8, found by halving. */
const faultAt = (bytes: Uint8Array): number => {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1;
    if (tryDecode(bytes.subarray(0, middle), true) === undefined) bad = middle;
    else good = middle;
  }
  return wholeLength(bytes.subarray(0, good));
};

/** Moves the bytes of a character that is cut at the end of a block into the next one. */
async function* wholeCharacters(blocks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array();
  for await (const block of blocks) {
    noteRead(block.length);
    const bytes = rest.length > 0 ? Buffer.concat([rest, block]) : block;
    const length = wholeLength(bytes);
    rest = bytes.slice(length);
    if (length > 0) yield bytes.subarray(0, length);
  }
  if (rest.length > 0) yield rest;
}

/** Bytes up to the last one that ends a character. */
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
