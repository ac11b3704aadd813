/** Ligatures of Latin letters, which Unicode has for compatibility with old encodings. */
const LIGATURES: Readonly<Record<string, string>> = {
  "\ufb00": "ff",
  "\ufb01": "fi",
  "\ufb02": "fl",
  "\ufb03": "ffi",
  "\ufb04": "ffl",
  "\ufb05": "st",
  "\ufb06": "st",
};

const CUT_BY_SOFT_HYPHEN = /\u00ad[ \t]*(?:\r\n|\n|\r)[ \t]*/g;
/** Zero-width space, word joiner, byte order mark, soft hyphen, direction marks, tags, interlinear and object marks. */
const INVISIBLE =
  /\u034f|[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffc]|[\u{e0000}-\u{e007f}]/gu;
/** Zero-width joiners outside Arabic and Indic scripts and emoji, where they have no meaning. */
const STRAY_JOINER = /(?<![\u0600-\uffff])[\u200c\u200d]|(?<=[\u2000-\u206f])[\u200c\u200d]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are removed
const CONTROL = /[\u0000-\u0008\u000e-\u001f\u007f-\u009f]/g;
/** No-break spaces and spaces of a special width. */
const SPACE = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g;

/** Removes invisible characters, spells out ligatures, and normalises to NFC and LF line endings. */
export const cleanText = (text: string): string =>
  text
    .replace(CUT_BY_SOFT_HYPHEN, "")
    .replace(/\r\n?|[\u0085\u2028]/g, "\n")
    .replace(/[\f\v\u2029]/g, "\n\n")
    .replace(INVISIBLE, "")
    .replace(STRAY_JOINER, "")
    .replace(CONTROL, "")
    .replace(SPACE, " ")
    .replace(/[\ufb00-\ufb06]/g, (ligature) => LIGATURES[ligature] ?? ligature)
    .toWellFormed()
    .normalize("NFC");

/** Removes trailing spaces and the empty lines at both ends, and merges consecutive empty lines. */
export const tidyLines = (text: string): string =>
  text
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .replace(/^\n+/, "")
    .trimEnd();
