import { numbersBetween, smallNumberOf } from "../text/number-words";

/* Spells out short forms, so that values and names are read in one form: "2h30", "180C", "$2.3 M", "the sixties", "Mt.". */

const TENS = "(?:twen|thir|for|fif|six|seven|eigh|nine)t";
const POINT = new RegExp(
  String.raw`(?<![\p{L}\p{N}-])(?:(${TENS}y)?[\s-]?(${numbersBetween(0, 12)})?\s)?point((?:\s(?:oh|${numbersBetween(0, 9)}))+)(?!\p{L})`,
  "giu",
);
const digitOf = (word: string): number => smallNumberOf(word) ?? 0;

/** "the sixties", "in the '60s", "nineteen-sixties"; not "in her sixties". */
const DECADE = new RegExp(
  String.raw`(?:(?<=\b(?:the|early|mid|late)[\s-])|^)(?:(${numbersBetween(13, 19)})[\s-])?(${TENS}ies)\b|(?:(?<=\b(?:the|early|mid|late)[\s-])|^)['’]?([2-9])0['’]?s\b`,
  "giu",
);

/** "2h30m", "2h 30m", "2:30 h". */
const HOURS_AND_MINUTES =
  /(?<![\p{L}\p{N}:.])(\p{Nd}{1,3})(?:\s?h(?:rs?)?\s?(\p{Nd}{1,2})\s?m(?:in(?:ute)?s?)?|:(\p{Nd}{2})\s?h(?:(?:ou)?rs?)?)(?![\p{L}\p{N}])/giu;
const FRENCH_HOURS = /(?<![\p{L}\p{N}:.])(\p{Nd}{1,3})\s?h\s?(\p{Nd}{2})(?![\p{L}\p{N}])/giu;
const OF_DURATION =
  /\b(?:how long|duration|takes?|took|lasts?|lasted|combien de temps|dure|durée|wie lange|dauert|dauer|cuánto (?:tiempo|dura))\b/iu;

/** "180C", "180ºC", "-5F"; not "seat 12C", "iPhone 5C". */
const TEMPERATURE =
  /(?<!(?:seat|room|gate|row|flight|platform|bus|section|form|page|apartment|unit|block|building|figure|table|appendix|type|size|grade|class|\p{Lu}\S*)\s)(?<![\p{L}\p{N}.,/-])([-−]?\p{Nd}{2,3}|[-−]\p{Nd})([CF])(?![\p{L}\p{N}'’+#-])/gu;
const ORDINAL_SIGN = /(?<=\p{Nd}\s?)º\s?(?=[CF](?!\p{L}))/gu;

const AMOUNT = String.raw`\p{Nd}[\p{Nd}.,]*`;
/** "$2.3 M", "USD 2.3m", "2.3m dollars". */
const MILLIONS_OF_MONEY = new RegExp(
  String.raw`(?<=[$€£¥₹]\s?|\b(?:USD|EUR|GBP|CHF)\s)(${AMOUNT})\s?[mM](?![\p{L}\p{N}])|(?<![\p{N}.,])(${AMOUNT})\s?[mM](?=\s(?:USD|EUR|GBP|CHF|dollars|euros|pounds)\b)`,
  "gu",
);
const MILLIONS = new RegExp(String.raw`(?<![\p{L}\p{N}.,])(${AMOUNT})\s?[mM](?![\p{L}\p{N}²³^/])`, "gu");
const ASKS_COUNT =
  /\b(?:how many|number of|population|inhabitants|revenue|turnover|sales|profit|budget|salary|price|cost|worth)\b/iu;
const ASKS_LENGTH = /\b(?:tall|long|high|deep|wide|far|length|height|depth|width|distance|met(?:er|re)s?)\b/iu;
const NOTHING = /^(\W*)(?:none|nil|nought)(?=\W*$)|^(\W*)no(?=\s\p{L}+\W*$)/iu;

/** "3x/day", "thrice daily" */
const TIMES = /(?<=\p{Nd})\s?[x×]\s?\/\s?(?=(?:day|week|month|year|hour)\b)/giu;

/** A short form, with its full stop unless that ends the text. */
const short = (form: string, flags = "gu"): RegExp =>
  new RegExp(String.raw`(?<![\p{L}\p{N}])(?:${form})(?:\.(?!\s*$)|(?![\p{L}\p{N}.])|(?=\.\s*$))`, flags);
const NAMES: readonly [RegExp, string][] = [
  [short(String.raw`Mt(?=\.?\s\p{Lu})`), "Mount"],
  [short(String.raw`(?:St|Sankt)(?=\.?\s\p{Lu})`), "Saint"],
  [short(String.raw`Ft(?=\.?\s\p{Lu})`), "Fort"],
  [short(String.raw`(?<=\p{Lu}\S*\s)Corp`, "giu"), "Corporation"],
  [short(String.raw`(?<=\p{Lu}\S*\s)Co`), "Company"],
  [short(String.raw`(?<=\p{Lu}\S*\s)Ltd`, "giu"), "Limited"],
  [short(String.raw`(?<=\p{Lu}\S*\s)Inc`, "giu"), "Incorporated"],
  [short(String.raw`(?<=\p{Lu}\S*\s)Bros`, "giu"), "Brothers"],
];

/** Only the first characters of a text are read, as in `readText`. */
const MAX_CHARACTERS = 40_000;

/** Spells out the short forms of an answer or a reference, as far as the question shows what they mean. */
export const spellOut = (source: string, question: string): string => {
  const text = NAMES.reduce((said, [form, name]) => said.replace(form, name), source.slice(0, MAX_CHARACTERS))
    .replace(POINT, (_, tens = "", ones = "", digits = "") => {
      const decimals = digits.trim().split(/\s/).map(digitOf).join("");
      return `${digitOf(tens) + digitOf(ones)}.${decimals}`;
    })
    .replace(DECADE, (_, century = "nineteen", decade?: string, tens?: string) => {
      const years = decade ? digitOf(decade.replace(/ies$/i, "y")) : 10 * Number(tens);
      return `${100 * digitOf(century) + years}s`;
    })
    .replace(HOURS_AND_MINUTES, (_, hours, minutes, behind) => `${hours} hours ${Number(minutes ?? behind)} minutes`)
    .replace(ORDINAL_SIGN, "°")
    .replace(TEMPERATURE, "$1 °$2")
    .replace(MILLIONS_OF_MONEY, (_, before, behind) => `${before ?? behind} million`)
    .replace(TIMES, " times per ")
    .replace(/\bthrice\b/giu, "3 times");
  const isDuration = OF_DURATION.test(question) || OF_DURATION.test(text);
  const timed = isDuration ? text.replace(FRENCH_HOURS, "$1 hours $2 minutes") : text;
  if (!ASKS_COUNT.test(question) && !/\bscore\b/i.test(question)) return timed;
  const counted = timed.replace(NOTHING, (_, before?: string, behind?: string) => `${before ?? behind}0`);
  return ASKS_LENGTH.test(question) ? counted : counted.replace(MILLIONS, "$1 million");
};
