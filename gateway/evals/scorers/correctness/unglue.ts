/** A small word that lost the space before a name ("onMarch"); "McCormick" and "MacDonald" are one word. */
const GLUED_NAME = /(?<![\p{L}\p{M}])(?!Mc|Mac|De|Di|La|Le|Van)(\p{L}\p{Ll}{1,20})(?=\p{Lu}\p{Ll}{2})/gu;
/** "2016by". */
const GLUED_YEAR = /(?<!\p{Nd})((?:1[5-9]|20)\p{Nd}{2})(?=(?!s\b|th\b|st\b|nd\b|rd\b)\p{Ll}{2})/gu;
/** The mark of a note behind a year: "in 20171." */
const YEAR_WITH_NOTE = /(?<![\p{Nd}.,])((?:1[5-9]|20)\p{Nd}{2})\p{Nd}{1,2}(?=\.?(?:\s+\p{Lu}|\s*$))/gu;

/** Puts back spaces that extraction from web pages has lost, and takes off the marks of notes that stuck to years. */
export const unglue = (text: string): string =>
  text.replace(GLUED_NAME, "$1 ").replace(GLUED_YEAR, "$1 ").replace(YEAR_WITH_NOTE, "$1");
