/** A small word that lost the space before a name ("onMarch"); "McCormick" and "MacDonald" are one word. */
const GLUED_NAME = /(?<![\p{L}\p{M}])(?!Mc|Mac|De|Di|La|Le|Van)(\p{L}\p{Ll}{1,20})(?=\p{Lu}\p{Ll}{2})/gu;
/** "2016by". */
const GLUED_YEAR = /(?<!\p{Nd})((?:1[5-9]|20)\p{Nd}{2})(?=(?!s\b|th\b|st\b|nd\b|rd\b)\p{Ll}{2})/gu;
/** A footnote mark after a year: "in 20171." "15000 people" and a bare "15000" are not years. */
const YEAR_WITH_NOTE =
  /(?<=(?:\b(?:in|since|until|till|by|from|during|year)|\p{Lu}\p{L}{2,8}(?:\s\p{Nd}{1,2},)?)\s)((?:1[5-9]|20)\p{Nd}{2})\p{Nd}{1,2}(?=\.?(?:\s+\p{Lu}|\s*$))/gu;
/** "x²" and "km²" become "x^2" and "km^2"; after other words a superscript is a footnote mark. */
const RAISED = /(?<=(?<!\p{L})\p{L}|(?<!\p{L})[kcm]m|\))[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3}/gu;

/** "Ca²⁺". */
const CHARGE = /(?<=\p{L}\p{Nd}{0,3})[⁰¹²³⁴⁵⁶⁷⁸⁹]{0,3}[⁺⁻]/gu;
/** "10 x 20", "10 by 20". */
const TIMES = /(?<=\p{Nd})(?:\s?[x×]\s?|\sby\s)(?=\p{Nd})/gu;
/** "B plus", "C sharp", "C plus plus" at the end of a clause, and blood types: "O negative". */
const SPOKEN_SIGN =
  /(?<=(?<![\p{L}\p{N}])\p{Lu})\s(plus plus|plus|minus|sharp)(?=\s*(?:[.,;:!?)"”’\n]|$))|(?<=(?<![\p{L}\p{N}])(?:AB?|B|O))[\s-](positive|negative)(?![\p{L}\p{N}])/gu;
const SPOKEN: Readonly<Record<string, string>> = {
  "plus plus": "++",
  plus: "+",
  minus: "-",
  sharp: "#",
  positive: "+",
  negative: "-",
};

/** Writes superscripts and spelled-out symbols as they are typed: "x^2", "Ca2+", "B+". */
export const typeSigns = (text: string): string =>
  text
    .replace(CHARGE, (charge) => charge.normalize("NFKC").replace("−", "-"))
    .replace(TIMES, " × ")
    .replace(RAISED, (digits) => `^${digits.normalize("NFKC")}`)
    .replace(SPOKEN_SIGN, (_, sign?: string, charge = "") => SPOKEN[sign ?? charge] ?? "");

/** Puts back spaces that extraction from web pages has lost, and takes off the marks of notes that stuck to years. */
export const unglue = (text: string): string =>
  text.replace(GLUED_NAME, "$1 ").replace(GLUED_YEAR, "$1 ").replace(YEAR_WITH_NOTE, "$1");
