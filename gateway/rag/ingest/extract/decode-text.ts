import { utf16Of } from "../../../datasets/reading/text";
import { unreadable } from "./document";
import { decodeLegacy } from "./legacy-encoding";

/** Maximum fraction of bytes that are neither ASCII nor UTF-8 in a text that is read as windows-1252. */
const MAX_LEGACY_SHARE = 0.25;
/**
 * Symbols within a word, and three consecutive non-ASCII letters, with their maximum fraction of the non-ASCII bytes.
 * In western European languages, both are rare.
 */
const IMPLAUSIBLE: readonly [pattern: RegExp, maxShare: number][] = [
  [/(?<=\p{Ll})[¡-¬®-¶¸-¿](?=\p{Ll})/gu, 0.2],
  [/[À-ÿŒœŠšŽžŸ]{3,}/gu, 0.5],
];
/** Icelandic letters without the vowels that Icelandic also has: Turkish text. */
const IS_TURKISH = /^(?=.*[ýþð])[^áíóúæ]*$/is;
/** Bytes that windows-1252 does not define. */
const UNDEFINED_IN_1252 = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d]);
/** Control characters that text files contain: tab, line endings, form feed, DOS end of file, escape. */
const TEXT_CONTROLS = new Set([9, 10, 11, 12, 13, 26, 27]);

const windows1252 = new TextDecoder("windows-1252");

/**
 * Decodes a file in UTF-8, UTF-16 (with or without a byte order mark), the encoding that it declares (`declared`), an East
 * Asian or Cyrillic encoding, or windows-1252. Throws invalid_request for binary data and other encodings.
 */
export const decodeText = (bytes: Uint8Array, declared?: string): string => {
  const utf16 = utf16Of(bytes);
  if (utf16) return checkText(new TextDecoder(utf16).decode(bytes));
  try {
    return checkText(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  const decoder = decoderNamed(declared);
  return checkText(decoder ? decoder.decode(bytes) : (decodeLegacy(bytes) ?? decodeMixed(bytes)));
};

const decoderNamed = (label = ""): TextDecoder | undefined => {
  try {
    const decoder = new TextDecoder(label as Bun.Encoding);
    return decoder.encoding === "utf-8" ? undefined : decoder;
  } catch {
    return undefined;
  }
};

/** Decodes valid UTF-8 characters as UTF-8 and every other byte as windows-1252, because some files contain both. */
const decodeMixed = (bytes: Uint8Array): string => {
  const parts: string[] = [];
  const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  let legacy = 0;
  let from = 0;
  for (let at = 0; at < bytes.length; ) {
    const size = utf8Size(bytes, at);
    if (size > 0) {
      at += size;
      continue;
    }
    if (UNDEFINED_IN_1252.has(bytes[at] ?? 0)) throw notText();
    parts.push(utf8.decode(bytes.subarray(from, at)), windows1252.decode(bytes.subarray(at, at + 1)));
    from = ++at;
    legacy++;
  }
  if (legacy > bytes.length * MAX_LEGACY_SHARE) throw notText();
  parts.push(utf8.decode(bytes.subarray(from)));
  const text = parts.join("");
  const isImplausible = IMPLAUSIBLE.some(
    ([pattern, maxShare]) => (text.match(pattern)?.join("").length ?? 0) > legacy * maxShare,
  );
  if (isImplausible || IS_TURKISH.test(text)) throw unknownEncoding();
  return text;
};

/** Length in bytes of the UTF-8 character at `at`; 0 if it is invalid. */
const utf8Size = (bytes: Uint8Array, at: number): number => {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return 1;
  const size = lead >= 0xf0 && lead < 0xf5 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead >= 0xf5) return 0;
  for (let i = 1; i < size; i++) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0;
  return size;
};

/** Rejects text with control characters that only binary data contains. Removes NUL padding at the end. */
const checkText = (decoded: string): string => {
  let end = decoded.length;
  while (end > 0 && (decoded.charCodeAt(end - 1) === 0 || decoded.charCodeAt(end - 1) === 26)) end--;
  const text = decoded.slice(0, end);
  let controls = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0 || code === 0xfffe) throw notText();
    if (code < 32 && !TEXT_CONTROLS.has(code)) controls++;
  }
  if (controls > text.length / 200) throw notText();
  return text;
};

const unknownEncoding = () =>
  unreadable("The file's text is not in UTF-8, and its encoding can't be recognized. Save it as UTF-8 text.");

const notText = () =>
  unreadable(
    "The file contains binary data or an unsupported encoding. Save it as UTF-8 text, or upload a PDF, DOCX, HTML, Markdown or CSV file.",
  );
