import { ownValue } from "../../../../lib/own-value";
import type { Span } from "../../statistics/spans";
import { LESS, MORE } from "./negation";
import { isMoney, type Unit, unitByName, unitByText } from "./units";
import { isStopWord, type Word } from "./words";

/* Reads the unit, sign, bound and era before or after a number. */

/**
 * A limit that a number states. "<42" is different from 42; a bound in words ("over 42") only differs from another
 * bound.
 */
export interface Bound {
  sign: "<" | "≤" | ">" | "≥" | "±";
  isSpelled: boolean;
}

export type Era = "bc" | "ad" | null;

export const CURRENCY = "$€£₹¥₩₽";

const SYMBOL_AFTER = /^\s?(?:([%‰€£$₹¥₩₽])(?!\p{Nd})|°\s?([CF])(?!\p{L}))/u;
const NAME_AFTER =
  /^(?:\s?(°)|\s(?:degrees?\s|deg\.?\s)?)(celsius|fahrenheit|centigrade)\b|^\s(per cent|per mille)\b/iu;

const ADVERBS: Readonly<Record<string, string>> = {
  hourly: "hour",
  daily: "day",
  weekly: "week",
  monthly: "month",
  yearly: "year",
  annually: "year",
};

/**
 * The unit around an amount, including the unit it is counted per: "5 mg/kg", "$5 per month", "$5 a month", "$5
 * monthly".
 */
export const unitAround = (words: readonly Word[], at: number, next: number, source: string) => {
  const amount = simpleUnit(words, at, next, source);
  let per = next;
  while ((words[per]?.start ?? amount.end) < amount.end) per++;
  const isPer = /^(?:per|an?|each|every)$/.test(words[per]?.norm ?? "");
  const [from, word] = isPer ? [words[per]?.end ?? 0, words[per + 1]] : [amount.end, words[per]];
  const adverb = isPer ? undefined : ownValue(ADVERBS, word?.norm ?? "");
  const unit = word && unitByName(adverb ?? word.norm);
  const gap = source.slice(from, word?.start);
  if (!amount.unit || !unit || !(isPer || adverb ? gap === " " : /^\s?\/\s?$/.test(gap))) return amount;
  const dimension = `${amount.unit.dimension}/${unit.dimension}`;
  return { unit: { dimension, factor: amount.unit.factor / unit.factor, per: unit }, end: word.end };
};

/** The unit before or after the words from `at` to `next`, and where it ends. */
const simpleUnit = (
  words: readonly Word[],
  at: number,
  next: number,
  source: string,
): { unit: Unit | null; end: number } => {
  const [first, last] = [words[at], words[next - 1]];
  const end = last?.end ?? 0;
  const before = source.slice(Math.max(0, (first?.start ?? 0) - 4), first?.start);
  const [, letter, sign] = /(?<!\p{L})([ACUH]?[SK]?)([$€£₹¥₩₽])\s?[-−–]?\s?$/u.exec(before) ?? [];
  if (sign) {
    const unit = letter === "C" ? unitByName("cad") : letter === "A" ? unitByName("aud") : unitByName(sign);
    return { unit: unit ?? null, end };
  }
  const code = unitByName(words[at - 1]?.norm ?? "");
  if (
    code &&
    isMoney(code) &&
    /^[\s-−]{1,2}$/.test(source.slice(words[at - 1]?.end, first?.start)) &&
    /^\p{Lu}{3}$/u.test(words[at - 1]?.text ?? "")
  )
    return { unit: code, end };
  const [symbol, mark, degree] = SYMBOL_AFTER.exec(source.slice(end, end + 5)) ?? [];
  if (symbol) return { unit: unitByName(mark ?? `°${degree}`) ?? null, end: end + symbol.length };
  const [named, , scale, share] = NAME_AFTER.exec(source.slice(end, end + 24)) ?? [];
  if (named) {
    const name = share ? (/mille/i.test(share) ? "permille" : "percent") : (scale ?? "").toLowerCase();
    return { unit: unitByName(name === "centigrade" ? "celsius" : name) ?? null, end: end + named.length };
  }
  const following = words[next];
  // A unit follows directly: "5 km", "5-mile", but not "in 1912. Miles".
  if (!following || !/^[\s-]{0,2}$/.test(source.slice(end, following.start))) return { unit: null, end };
  // "in" is only a unit after feet, as in "6 ft 2 in". Elsewhere it is a preposition.
  const isInch = following.norm === "in" && /(?:ft|feet|foot)\.?\s$/i.test(source.slice(0, first?.start).slice(-6));
  const unit =
    unitByText(
      following.text,
      isInch ? "inch" : /^d['’]/u.test(following.text) ? following.text.slice(2) : following.norm,
    ) ?? null;
  return { unit, end: unit ? following.end : end };
};

/** Matches a minus sign directly before a number, if nothing before the sign can be subtracted from. */
const MINUS =
  /(?:^|[\s([{=<>≤≥±*×/,:;"'“‘|~≈^])[-–‑－−][$€£₹¥₩₽]?$|(?:^|[([{=<>≤≥:~≈]\s?)−\s[$€£₹¥₩₽]?$|(?:^|[\s([{=<>≤≥~≈])[$€£₹¥₩₽]\s?[-−–]$/u;
const BELOW_ZERO = /^\s?(?:(?:°|degrees?)\s?(?:[cf]|celsius|fahrenheit)?\s?)?below (?:zero|freezing)\b/iu;
const EITHER_SIGN = /(?:\+\s?\/\s?[-−–]|\bplus or minus)\s?$/iu;
const MINUS_WORDS = new Set(["minus", "negative"]);

export const isNegative = (words: readonly Word[], at: number, end: number, source: string): boolean => {
  const start = words[at]?.start ?? 0;
  if (EITHER_SIGN.test(source.slice(Math.max(0, start - 16), start))) return false;
  if (MINUS.test(source.slice(Math.max(0, start - 4), start)) || BELOW_ZERO.test(source.slice(end, end + 40)))
    return true;
  const [before, word] = [words[at - 2], words[at - 1]];
  // "10 minus 5" is a difference.
  return (
    word !== undefined && MINUS_WORDS.has(word.norm) && !before?.numeral && /^\s$/.test(source.slice(word.end, start))
  );
};

const BOUND = /(<=|=<|[≤⩽≦]|>=|[≥⩾≧]|[<＜]|[>＞]|±|\+\s?\/\s?[-−–]|\bplus or minus)\s?(?:[$€£₹¥₩₽]\s?)?[-−]?$/iu;
/** Signs that look like a bound: "<b>5", "-> 5". */
const NO_BOUND = /<\/?\p{L}[^<>]*>$|[-=]>\s?$|>>\s?$|<<\s?$/u;
const SPELLED_BOUND = new RegExp(
  [
    String.raw`\b(?:((?:${LESS}) than|under|below)|((?:${MORE}) than|over|above)`,
    String.raw`|(at most|up to|not? (?:\w+ )?(?:${MORE}) than|(?:not|cannot) (?:to )?exceed(?:ing)?|(?:maximum|max\.?)(?: of)?)`,
    String.raw`|(at least|not? (?:\w+ )?(?:${LESS}) than|(?:minimum|min\.?)(?: of)?))\s[-−]?$`,
  ].join(""),
  "iu",
);
/** "3.8 or higher". */
const BOUND_AFTER =
  /^\s(?:(?:or|and)\s(?:(higher|more|above|greater|over|up|older|later|longer|taller)|(lower|less|below|fewer|under|younger|earlier|shorter))|(at (?:the )?least)|(at (?:the )?most))\b/iu;

export const boundOf = (source: string, start: number, end: number): Bound | null => {
  const before = source.slice(Math.max(0, start - 40), start);
  const [, sign] = NO_BOUND.test(before) ? [] : (BOUND.exec(before) ?? []);
  if (sign) {
    const signs = { "<": /^[<＜]$/, "≤": /^(?:<=|=<|[≤⩽≦])$/, ">": /^[>＞]$/, "≥": /^(?:>=|[≥⩾≧])$/ } as const;
    const found = (["<", "≤", ">", "≥"] as const).find((name) => signs[name].test(sign));
    return { sign: found ?? "±", isSpelled: false };
  }
  const [, less, more, most, least] = SPELLED_BOUND.exec(before) ?? [];
  if (less) return { sign: "<", isSpelled: true };
  if (more) return { sign: ">", isSpelled: true };
  const [, orMore, orLess, atLeast, atMost] = BOUND_AFTER.exec(source.slice(end, end + 16)) ?? [];
  if (orMore || atLeast) return { sign: "≥", isSpelled: true };
  if (orLess || atMost) return { sign: "≤", isSpelled: true };
  if (most) return { sign: "≤", isSpelled: true };
  return least || /^\+(?![\p{L}\p{N}])/u.test(source.slice(end, end + 2)) ? { sign: "≥", isSpelled: true } : null;
};

const SIDES: Readonly<Record<Bound["sign"], string>> = {
  "<": "below",
  "≤": "below",
  ">": "above",
  "≥": "above",
  "±": "both",
};

export const isSameBound = (a: Bound | null, b: Bound | null): boolean => {
  if (!a || !b) return (a ?? b)?.isSpelled !== false;
  return a.isSpelled || b.isSpelled ? SIDES[a.sign] === SIDES[b.sign] : a.sign === b.sign;
};

/** The span of a number, including the words of its bound: "less than 42", "42 or more". */
export const withBound = (source: string, start: number, end: number): Span => {
  const from = Math.max(0, start - 40);
  const before = SPELLED_BOUND.exec(source.slice(from, start));
  const behind = BOUND_AFTER.exec(source.slice(end, end + 16));
  return { start: before ? from + before.index : start, end: end + (behind?.[0].length ?? 0) };
};

const MINUS_BEFORE = /(?:[-–‑－−]\s?[$€£₹¥₩₽]?|[$€£₹¥₩₽]\s?[-–‑－−]|\b(?:minus|negative)\s)$/iu;

/** The span of a number, including its sign and bound, in symbols or words: "-5", "minus five", "<42", "less than 42". */
export const wholeSpan = (number: Span & { value: number; bound: Bound | null }, source: string): Span => {
  const before = (at: number) => source.slice(Math.max(0, at - 40), at);
  const sign = number.value < 0 ? MINUS_BEFORE.exec(before(number.start)) : null;
  const below = number.value < 0 ? BELOW_ZERO.exec(source.slice(number.end, number.end + 40)) : null;
  const start = number.start - (sign?.[0].length ?? 0);
  const end = number.end + (below?.[0].length ?? 0);
  const bound = number.bound && !number.bound.isSpelled ? BOUND.exec(before(start)) : null;
  return bound ? { start: start - bound[0].length, end } : withBound(source, start, end);
};

const BC = String.raw`B\.?\s?C\.?(?:\s?E\.?)?|bce?|v\.?\s?Chr\.?|av\.?\s?J\.?-?C\.?|a\.\s?C\.`;
const AD = String.raw`A\.?\s?D\.?|C\.?\s?E\.?|n\.?\s?Chr\.?|ap\.?\s?J\.?-?C\.?|d\.\s?C\.`;
const ERA_AFTER = new RegExp(String.raw`^\s?(?:(${BC})|(${AD}))(?![\p{L}\p{N}&])`, "u");
const ERA_BEFORE = /(?<!\p{L})(?:(BCE?)|A\.?\s?D\.?|CE)\s$/u;

export const eraOf = (source: string, start: number, end: number): { era: Era; end: number } => {
  const behind = ERA_AFTER.exec(source.slice(end, end + 12));
  if (behind) return { era: behind[1] ? "bc" : "ad", end: end + behind[0].length };
  const before = ERA_BEFORE.exec(source.slice(Math.max(0, start - 6), start));
  return { era: before ? (before[1] ? "bc" : "ad") : null, end };
};

const BEFORE_VERSION =
  /(?<![\p{L}\p{N}])(?:v|[Vv]ersions?|[Vv]ersi[oó]n|[Rr]eleases?|[Cc]hapters?|[Ss]ections?|[Aa]rticles?|[Ff]igures?|[Tt]ables?|\p{Lu}[\p{L}\p{N}.+#-]*)\s?$/u;

/** Whether a decimal number directly follows a name or "version": "Python 3.10". */
export const isVersionAt = (words: readonly Word[], at: number, source: string): boolean => {
  const [name, word] = [words[at - 1], words[at]];
  if (!name || !word || isStopWord(name) || !/^\p{Nd}+\.\p{Nd}+$/u.test(word.text)) return false;
  return BEFORE_VERSION.test(source.slice(Math.max(0, word.start - 40), word.start));
};
