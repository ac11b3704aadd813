/*
 * Whether an answer equals a reference, apart from its wrapping. Tokens need no meaning: "AT&T", "{a, b}" and "¹" are
 * compared as text.
 */

const plain = (text: string): string => text.normalize("NFC").toLowerCase().replace(/\s+/gu, " ").trim();

const LEAD =
  /^(\*\*|__)?(?:(?:so|therefore|thus),? )?(?:(?:(?:the|my) )?(?:(?:final|short|correct|right) )?(?:answer|response|result|verdict)(?:\1:|:\1| is:?)|(?:it|this|that)(?: is| was|['’]s)|#{1,6}|=)\s+/u;
/** Wrappings that may be removed from an answer. The last group is the content. */
const WRAPPINGS: readonly RegExp[] = [
  /^(\*\*|__|[*_`"'$]|``)(.+)\1$/u,
  /^[“„”«»‘‚「『](.+)[”“«»’‘」』]$/u,
  /^(?:\((.+)\)|\[(.+)\]|<(\S+)>|\\boxed\{(.+)\}|\\\((.+)\\\))$/u,
  /^<(\w+)>(.+)<\/\1>$/u,
  /^```\w* (.+) ```$/u,
  /^\[[^[\]]*\]\((\S+)\)$/u,
];
/** Sentence punctuation at the end. An exclamation mark may belong to the reference ("3!"), but not to the answer. */
const END = /[.,;:…。]+$/u;
const END_OF_ANSWER = /[.,;:!?…。！？]$/u;

const peel = (text: string): string[] =>
  [
    text.replace(END_OF_ANSWER, ""),
    text.replace(LEAD, ""),
    ...WRAPPINGS.map((wrapping) => wrapping.exec(text)?.findLast((part) => part !== undefined) ?? ""),
  ]
    .map((part) => part.trim())
    .filter((part) => part !== "" && part !== text);

/** Maximum length of the wrapping around a reference. */
const MAX_WRAPPING_LENGTH = 60;

/**
 * Whether the answer is the reference after NFC, regardless of case, whitespace, sentence punctuation, quotation marks,
 * surrounding Markdown, and an introduction such as "The answer is".
 */
export const isSameText = (reference: string, output: string): boolean => {
  if (output.length > reference.length + MAX_WRAPPING_LENGTH) return false;
  const wanted = new Set([plain(reference), plain(reference).replace(END, "").trim()]);
  wanted.delete("");
  const forms = new Set([plain(output)]);
  for (const form of forms) {
    if (wanted.has(form)) return true;
    for (const part of peel(form)) forms.add(part);
  }
  return false;
};
