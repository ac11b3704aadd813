/* Detects pre-Unicode encodings that a text doesn't declare, from the characters that the text would contain. */

/** Minimum number of characters to detect an encoding from. */
const MIN_CHARACTERS = 4;
/** Minimum fraction of common characters: about 0.98 in texts of this encoding, under 0.7 in others. */
const MIN_COMMON = 0.9;

type Pair = (lead: number, trail: number) => boolean;

interface EastAsian {
  label: string;
  /** Matches the two bytes of a common character of the language. Punctuation and Latin letters are ignored. */
  isCommon: Pair;
  isPunctuation: Pair;
  /** Characters that must make up this fraction, because another encoding has the same bytes for common characters. */
  marks?: { is: Pair; min: number; max?: number };
  /** Bytes above 127 that are a character by themselves. */
  isSingle?(byte: number): boolean;
}

const inRange = (byte: number, from: number, to: number): boolean => byte >= from && byte <= to;
/** The upper half of a 94 × 94 table, as in EUC. */
const isTable = (trail: number): boolean => trail >= 0xa1;
const isEucPunctuation: Pair = (lead, trail) => inRange(lead, 0xa1, 0xa3) && isTable(trail);
const isEucKana: Pair = (lead, trail) => inRange(lead, 0xa4, 0xa5) && isTable(trail);
/** Hangul in EUC-KR; in GBK, the first half of the usual characters. */
const isHangul: Pair = (lead, trail) => inRange(lead, 0xb0, 0xc8) && isTable(trail);

const EAST_ASIAN: readonly EastAsian[] = [
  {
    label: "gb18030",
    isCommon: (lead, trail) => inRange(lead, 0xb0, 0xd7) && isTable(trail),
    isPunctuation: isEucPunctuation,
    marks: { is: isHangul, min: 0.2, max: 0.9 },
  },
  {
    label: "big5",
    isCommon: (lead) => inRange(lead, 0xa4, 0xc6),
    isPunctuation: (lead) => inRange(lead, 0xa1, 0xa3),
    marks: { is: (_, trail) => trail < 0x80, min: 0.1 },
  },
  { label: "euc-kr", isCommon: isHangul, isPunctuation: isEucPunctuation },
  {
    label: "euc-jp",
    isCommon: (lead, trail) => isEucKana(lead, trail) || (inRange(lead, 0xb0, 0xcf) && isTable(trail)),
    isPunctuation: isEucPunctuation,
    marks: { is: isEucKana, min: 0.15 },
  },
  {
    label: "shift_jis",
    isCommon: (lead, trail) =>
      (lead === 0x82 && trail >= 0x9f) || (lead === 0x83 && trail <= 0x96) || inRange(lead, 0x88, 0x97),
    isPunctuation: (lead, trail) => lead === 0x81 || (lead === 0x82 && trail < 0x9f),
    isSingle: (byte) => inRange(byte, 0xa1, 0xdf),
  },
];

const CYRILLIC = ["windows-1251", "koi8-r", "ibm866", "iso-8859-5"] as const;
/**
 * The most frequent letters of Russian, Ukrainian and Bulgarian: about 0.8 of a text; about 0.4 in a wrong encoding.
 */
const FREQUENT_CYRILLIC = /[оеаинтсрвлкмдуяі]/giu;
const MIN_FREQUENT = 0.6;
/** Other scripts look like upper case in a Cyrillic encoding. */
const MIN_LOWER = 0.5;
/** Lower case, capitalized, or upper case. In a wrong encoding, cases are mixed within words. */
const CASED_WORD = /^(?:\p{Lu}?\p{Ll}+|\p{Lu}+)$/u;
/** Bytes that are checked, from a few before the first that isn't ASCII. */
const CHECKED_BYTES = 65_536;
const CHECKED_BEFORE = 32;

/** The decoded text if it is clearly in an East Asian or Cyrillic encoding; otherwise undefined. */
export const decodeLegacy = (bytes: Uint8Array): string | undefined => {
  const start = Math.max(0, bytes.findIndex((byte) => byte >= 0x80) - CHECKED_BEFORE);
  const head = bytes.subarray(start, start + CHECKED_BYTES);
  const labels = [
    ...EAST_ASIAN.filter((encoding) => isIn(encoding, head)).map(({ label }) => label),
    ...CYRILLIC.filter((label) => isCyrillic(new TextDecoder(label).decode(head))),
  ];
  const texts = labels.flatMap((label) => decodeAs(label, bytes) ?? []);
  return texts.length === 1 ? texts[0] : undefined;
};

const decodeAs = (label: string, bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder(label as Bun.Encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
};

const isIn = ({ isCommon, isPunctuation, marks, isSingle = () => false }: EastAsian, bytes: Uint8Array): boolean => {
  let [characters, common, marked] = [0, 0, 0];
  for (let at = 0; at < bytes.length; at++) {
    const lead = bytes[at] ?? 0;
    if (lead < 0x80) continue;
    const trail = isSingle(lead) ? 0 : (bytes[++at] ?? 0);
    if (isPunctuation(lead, trail)) continue;
    characters++;
    if (isCommon(lead, trail)) common++;
    if (marks?.is(lead, trail)) marked++;
  }
  const isMarked = !marks || (marked >= characters * marks.min && marked <= characters * (marks.max ?? 1));
  return characters >= MIN_CHARACTERS && common >= characters * MIN_COMMON && isMarked;
};

const isCyrillic = (text: string): boolean => {
  const words = text.match(/[\p{L}\u2500-\u257f]+/gu) ?? [];
  const foreign = words.filter((word) => /\P{ASCII}/u.test(word));
  const letters = foreign.join("");
  const frequent = letters.match(FREQUENT_CYRILLIC)?.length ?? 0;
  const lower = letters.match(/\p{Ll}/gu)?.length ?? 0;
  const plausible = foreign.filter((word) => /^\p{sc=Cyrillic}+$/u.test(word) && CASED_WORD.test(word)).length;
  return (
    letters.length >= MIN_CHARACTERS &&
    lower >= letters.length * MIN_LOWER &&
    frequent >= letters.length * MIN_FREQUENT &&
    plausible >= foreign.length * MIN_COMMON
  );
};
