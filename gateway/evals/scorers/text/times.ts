import { numbersBetween, smallNumberOf } from "./number-words";
import { asciiDigits } from "./numerals";

/** A time of day found in a text. */
export interface ClockTime {
  start: number;
  end: number;
  /** Minutes since midnight, 0 to 1439. If `isHalfDayUnknown`, those of the morning. */
  minutes: number;
  /** null: not stated. */
  seconds: number | null;
  /** True if the time could be in either half of the day: it has no a.m. or p.m., and its hour is at most 12. */
  isHalfDayUnknown: boolean;
  /** Offset of the zone from UTC in minutes; null if no zone is given. */
  zoneMinutes: number | null;
}

/** Maximum number of times read per text. */
const MAX_TIMES = 2000;

const DAY = 24 * 60;
const HALF = DAY / 2;

/** Excludes prices and parts of longer numbers: "8,30 €", "version 5:30:2". */
const STARTS = String.raw`(?<![\d:.,$€£¥])`;
const MERIDIEM = String.raw`\s?(?<half>[ap])\.?\s?m\b\.?`;
const MINUTES = String.raw`(?::(?<minute>\d{1,2})|[.](?<dotted>\d{2}))`;
const HOUR = String.raw`(?<hour>\d{1,2}|${numbersBetween(1, 12)})`;
const PART_OF_DAY = /^\s?(?:o['’]?clock)?\s?(?:in the (morning|afternoon|evening)|(at night))\b/iu;

/** Ways to write a time, most specific first. */
const FORMS = [
  String.raw`\b(?:12(?::00)?\s)?(?<noon>noon|midday)\b|\b(?:12(?::00)?\s)?(?<midnight>midnight)\b`,
  // 17:30:00.000Z after the day of an ISO date
  String.raw`(?<=\d-\d{2}[t ])(?<hour>\d{2}):?(?<minute>\d{2})(?::?(?<second>\d{2})(?:[.,]\d{1,9})?)?(?:(?<zone>z|[-+−]\d{2}:?\d{2}|\s?(?:utc|gmt)(?![-+−\p{L}\d])))?(?![\d:])`,
  // 5 pm, 5:30 p.m., 5.30pm
  String.raw`${STARTS}(?<hour>\d{1,2})(?:${MINUTES})?(?::(?<second>\d{2}))?${MERIDIEM}`,
  // "5 to 10 pm": the first hour has no marker of its own.
  String.raw`${STARTS}(?<hour>\d{1,2})(?=\s?(?:-|–|to|until|till)\s?\d{1,2}(?:[:.]\d{1,2})?${MERIDIEM})`,
  // 17.30 Uhr, 17 Uhr 30
  String.raw`${STARTS}(?<hour>\d{1,2})(?:${MINUTES})?\s?(?<clock>uhr)\b(?:\s(?<later>\d{2})(?!\d))?`,
  // 17:30, 17:30:00 UTC; a single minute digit must be 0, as in data ("10:0-22:0"); otherwise it is a ratio ("1:2")
  String.raw`${STARTS}(?<hour>\d{1,2}):(?<minute>\d{2}|0)(?::(?<second>\d{2})(?:[.,]\d{1,9})?)?(?![\d:])(?:\s?(?<zone>z|(?:utc|gmt)(?:[-+−]\d{1,2}(?::?\d{2})?)?)(?![\p{L}\d]))?`,
  // 17h30
  String.raw`${STARTS}(?<hour>\d{1,2})\s?h\s?(?<minute>\d{2})(?![\p{L}\d])(?!\s?min)`,
  // 午後5時30分, 오후 5시 30분
  String.raw`(?<east>午前|上午|早上|凌晨|午後|下午|晚上|오전|오후)?\s?(?<!\d)(?<hour>\d{1,2})\s?(?:時|时|点|點|시)(?!間|间)(?:\s?(?<minute>\d{1,2})\s?(?:分|분)|(?<thirty>半|\s?반))?`,
  // five o'clock, half past five, ten past five, a quarter to six
  String.raw`\b${HOUR}\s?o['’]?clock\b`,
  String.raw`\b(?:an?\s)?(?<part>half|quarter|\d{1,2}(?=(?:\sminutes?)?\spast|\sminutes?\s)|(?:five|ten|twenty)(?=(?:\sminutes?)?\spast|\sminutes?\s))(?:\sminutes?)?\s(?<way>past|to)\s${HOUR}(?![\p{L}\d:])(?:${MERIDIEM})?`,
  // 5 in the afternoon
  String.raw`${STARTS}${HOUR}(?=\sin the (?:morning|afternoon|evening)\b)`,
].map((form) => new RegExp(form, "giu"));

const numberIn = (text = "0"): number => smallNumberOf(text) ?? Number(text);

const PARTS: Readonly<Record<string, number>> = { half: 30, quarter: 15 };

const zoneOf = (zone: string | undefined): number | null => {
  if (zone === undefined) return null;
  const [, sign, hours = "0", minutes = "0"] = /([-+−])(\d{1,2}):?(\d{2})?$/.exec(zone) ?? [];
  return (sign === "+" || sign === undefined ? 1 : -1) * (Number(hours) * 60 + Number(minutes));
};

type Groups = Readonly<Record<string, string | undefined>>;

const minutesOf = (groups: Groups): number => {
  if (groups.part) {
    const part = PARTS[groups.part.toLowerCase()] ?? numberIn(groups.part);
    return groups.way?.toLowerCase() === "to" ? -part : part;
  }
  return groups.thirty ? 30 : Number(groups.minute ?? groups.dotted ?? groups.later ?? 0);
};

/** "p" for the afternoon, "a" for the morning; undefined if neither is stated. */
const halfOf = ({ half, east }: Groups, behind: string): string | undefined => {
  if (half) return half.toLowerCase();
  if (east) return /午後|下午|晚上|오후/.test(east) ? "p" : "a";
  const [, part, night] = PART_OF_DAY.exec(behind) ?? [];
  if (part) return part.toLowerCase() === "morning" ? "a" : "p";
  return night ? "p" : undefined;
};

const readTime = (match: RegExpMatchArray, text: string): ClockTime | undefined => {
  const [start, groups] = [match.index ?? 0, match.groups ?? {}];
  const end = start + match[0].length;
  const span = { start, end, seconds: groups.second === undefined ? null : Number(groups.second) };
  const zoneMinutes = zoneOf(groups.zone);
  if (groups.noon || groups.midnight)
    return { ...span, minutes: groups.noon ? HALF : 0, isHalfDayUnknown: false, zoneMinutes };
  const [hour, minute] = [numberIn(groups.hour), minutesOf(groups)];
  if (hour > 24 || minute > 59 || Number(groups.second ?? 0) > 59) return undefined;
  const half = halfOf(groups, text.slice(end, end + 30));
  // "05:30" uses the 24-hour clock, and "12:30" is half past noon.
  const isAmbiguous =
    hour > 0 && hour < 12 && !groups.hour?.startsWith("0") && groups.minute !== "0" && !groups.zone && !groups.clock;
  const isDated = /\d-\d{2}[t ]$/i.test(text.slice(Math.max(0, start - 5), start));
  const hours = half && hour <= 12 ? (hour % 12) + (half === "p" ? 12 : 0) : hour;
  const minutes = (((hours * 60 + minute) % DAY) + DAY) % DAY;
  return { ...span, minutes, isHalfDayUnknown: half === undefined && isAmbiguous && !isDated, zoneMinutes };
};

/** The times of day in a text, in order: `5 pm`, `17:00`, `half past five`, `11:0`, `noon`. */
export const readTimes = (source: string): ClockTime[] => {
  const text = asciiDigits(source);
  const found: ClockTime[] = [];
  for (const form of FORMS) {
    for (const match of text.matchAll(form)) {
      if (found.length >= MAX_TIMES) break;
      const time = readTime(match, text);
      if (time && !found.some(({ start, end }) => start < time.end && time.start < end)) found.push(time);
    }
  }
  return found.sort((a, b) => a.start - b.start);
};

type Moment = Pick<ClockTime, "minutes" | "isHalfDayUnknown"> & Partial<Pick<ClockTime, "seconds" | "zoneMinutes">>;

/** Whether two times are the same, in UTC if both have a zone. Details that only one of them states are ignored. */
export const isSameTime = (a: Moment, b: Moment): boolean => {
  if (typeof a.seconds === "number" && typeof b.seconds === "number" && a.seconds !== b.seconds) return false;
  const areZoned = typeof a.zoneMinutes === "number" && typeof b.zoneMinutes === "number";
  const difference = a.minutes - b.minutes - (areZoned ? (a.zoneMinutes ?? 0) - (b.zoneMinutes ?? 0) : 0);
  return difference % (a.isHalfDayUnknown || b.isHalfDayUnknown ? HALF : DAY) === 0;
};
