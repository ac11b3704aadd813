import { type ClockTime, isSameTime, readTimes } from "../text/times";
import type { DataRecord } from "./records";

/** Opening and closing times by day of the week, 0 = Monday; minutes since midnight. */
export type Timetable = ReadonlyMap<number, { open: number; close: number }>;

const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const DAY_NAME = String.raw`\b(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?s?\b\.?`;
const EVERY_DAY = String.raw`\b(?:daily|every ?day|all week|each day|(?:7|seven) days(?: a week)?)\b`;
const DAY_TOKEN = new RegExp(
  String.raw`(${DAY_NAME})(?:\s?(?:-|–|—|to|through|thru|until|till)\s?(${DAY_NAME}))?|\b(weekdays)\b|\b(weekends?)\b|(${EVERY_DAY})`,
  "giu",
);

const dayOf = (name: string): number => DAYS.findIndex((day) => day.startsWith(name.slice(0, 3).toLowerCase()));

/** The timetable that a record holds under the names of days, as `10:0-22:0`; undefined: none. */
export const timetableOf = ({ facts }: DataRecord): Timetable | undefined => {
  const table = new Map<number, { open: number; close: number }>();
  for (const { key, value } of facts) {
    const [name = ""] = key;
    if (key.length !== 1 || typeof value !== "string" || !DAYS.includes(name)) continue;
    const [open, close] = readTimes(value.slice(0, 100));
    if (open && close) table.set(dayOf(name), { open: open.minutes, close: close.minutes });
  }
  return table.size > 0 ? table : undefined;
};

interface DaysMention {
  start: number;
  end: number;
  days: number[];
}

const between = (first: number, last: number): number[] =>
  Array.from({ length: ((last - first + 7) % 7) + 1 }, (_, step) => (first + step) % 7);

const daysIn = (text: string): DaysMention[] =>
  [...text.matchAll(DAY_TOKEN)].flatMap((match) => {
    const [all, first, last, weekdays, weekend] = match;
    const days = first
      ? between(dayOf(first), dayOf(last ?? first))
      : weekdays
        ? [0, 1, 2, 3, 4]
        : weekend
          ? [5, 6]
          : [0, 1, 2, 3, 4, 5, 6];
    return [{ start: match.index, end: match.index + all.length, days }];
  });

interface Group extends DaysMention {
  times: ClockTime[];
  isClosed: boolean;
}

/** Days with the times that belong to them: those that follow, or, where a text starts with times, those before. */
const groupsIn = (text: string): Group[] => {
  const mentions = daysIn(text);
  const times = readTimes(text);
  const groups: Group[] = [];
  let open: Group | undefined;
  const isTimeFirst = times[0] !== undefined && mentions[0] !== undefined && times[0].start < mentions[0].start;
  for (const [place, mention] of mentions.entries()) {
    const next = mentions[place + 1]?.start ?? text.length;
    const before = mentions[place - 1]?.end ?? 0;
    const own = times.filter(({ start }) =>
      isTimeFirst ? start >= before && start < mention.start : start >= mention.end && start < next,
    );
    const around = text.slice(before, next);
    const isClosed =
      /\bclosed\b/i.test(text.slice(mention.end, Math.min(next, mention.end + 40))) ||
      /\bclosed(?: on)? $/i.test(text.slice(before, mention.start));
    const isExcept = /\b(?:except|excluding|apart from|other than)\b/i.test(text.slice(before, mention.start));
    const reach = own.at(-1)?.end ?? mention.end;
    const from = Math.min(mention.start, own[0]?.start ?? mention.start);
    if (isExcept && open) open.days = open.days.filter((day) => !mention.days.includes(day));
    if (open && open.times.length === 0 && !open.isClosed && !isExcept && !isTimeFirst && around !== "") {
      Object.assign(open, { days: [...open.days, ...mention.days], end: reach, times: own, isClosed });
    } else {
      open = { start: from, end: Math.max(reach, mention.end), days: [...mention.days], times: own, isClosed };
      groups.push(open);
    }
  }
  return groups;
};

export interface HoursFinding {
  start: number;
  end: number;
  isRight: boolean;
}

/** What a text says of opening hours, compared with a timetable; nothing where it names no day. */
export const checkHours = (text: string, timetable: Timetable): HoursFinding[] => {
  const isAboutHours = /\b(?:open|opens|hours?|operat\w*|clos\w+|from|until)\b/i.test(text);
  if (!isAboutHours) return [];
  return groupsIn(text.slice(0, 2000)).flatMap(({ start, end, days, times, isClosed }) => {
    const [open, close] = times;
    const known = days.map((day) => timetable.get(day));
    // Midnight to midnight may mean closed or always open: only times can be wrong.
    const isVague = /\b(?:var(?:y|ies|ying)|rang(?:e|es|ing)|between|different|\bor\b)/i.test(text.slice(start, end));
    if (isVague || (times.length === 0 && known.some((day) => day && day.open === day.close))) return [];
    const isAt = (time: ClockTime, minutes: number) => isSameTime(time, { minutes, isHalfDayUnknown: false });
    const agrees = (day: { open: number; close: number } | undefined) =>
      day !== undefined &&
      (!open || isAt(open, day.open) || (!close && isAt(open, day.close))) &&
      (!close || isAt(close, day.close));
    const agreeing = known.filter(agrees).length;
    const isLoose = /week(?:day|end)/i.test(text.slice(start, end));
    const isRight = isClosed
      ? known.every((day) => day === undefined || day.open === day.close)
      : agreeing >= (isLoose ? days.length / 2 : days.length);
    return [{ start, end, isRight }];
  });
};
