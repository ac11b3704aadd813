/** Characters that Unicode keeps for old encodings: ligatures of Latin letters. */
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
/**
 * Zero-width space, word joiner, byte order mark, soft hyphen, direction marks, tags, interlinear and object marks.
 */
const INVISIBLE =
  /\u034f|[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffc]|[\u{e0000}-\u{e007f}]/gu;
/** Joiners belong to Arabic and Indic scripts and to emoji, and are noise in others. */
const STRAY_JOINER = /(?<![\u0600-\uffff])[\u200c\u200d]|(?<=[\u2000-\u206f])[\u200c\u200d]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const CONTROL = /[\u0000-\u0008\u000e-\u001f\u007f-\u009f]/g;
/** No-break spaces and other spaces of a width of their own. */
const SPACE = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g;

/** Removes what readers don't see and spells out ligatures; line ends become LF, in NFC. */
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

/** Removes spaces at the ends of lines, empty lines at both ends, and more than one empty line elsewhere. */
export const tidyLines = (text: string): string =>
  text
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .replace(/^\n+/, "")
    .trimEnd();
