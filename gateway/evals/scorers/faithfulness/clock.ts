/** A time of day in a text. */
export interface ClockTime {
  start: number;
  end: number;
  /** Minutes since midnight, 0 to 1439; of the morning where `isHalfKnown`. */
  minutes: number;
  /** No a.m. or p.m. stands with it: the same time twelve hours later may be meant. */
  isHalfKnown: boolean;
}

const DAY = 24 * 60;
const HALF = DAY / 2;

const MERIDIEM = String.raw`\s?([ap])\.?\s?m\b\.?`;
const CLOCK = new RegExp(
  [
    String.raw`(?<![\d:.$€£])(\d{1,2})(?::(\d{1,2}))?${MERIDIEM}`,
    // "5 to 10 pm": the first hour has no sign of its own.
    String.raw`(?<![\d:.$€£])(\d{1,2})(?=\s?(?:-|–|to|until|till)\s?\d{1,2}(?::\d{1,2})?${MERIDIEM})`,
    String.raw`(?<![\d:.$€£])(\d{1,2}):(\d{1,2})(?![\d:])`,
    String.raw`\b(noon|midday)\b|\b(midnight)\b`,
  ].join("|"),
  "giu",
);

/** Times of day, in the order of the text: `5 pm`, `17:00`, `11:0`, `noon`. */
export const clockTimes = (text: string): ClockTime[] => {
  const found: ClockTime[] = [];
  for (const match of text.matchAll(CLOCK)) {
    const [all, hour12, minute12, half, bareHour, , hour24, minute24, noon, midnight] = match;
    const hour = Number(hour12 ?? bareHour ?? hour24 ?? 0);
    const minute = Number(minute12 ?? minute24 ?? 0);
    if (hour > 24 || minute > 59) continue;
    const span = { start: match.index, end: match.index + all.length };
    if (noon || midnight) found.push({ ...span, minutes: noon ? HALF : 0, isHalfKnown: false });
    else if (half) {
      const minutes = (hour % 12) * 60 + minute + (half.toLowerCase() === "p" ? HALF : 0);
      found.push({ ...span, minutes, isHalfKnown: false });
    } else {
      const minutes = (hour * 60 + minute) % DAY;
      found.push({ ...span, minutes, isHalfKnown: hour > 0 && hour <= 12 });
    }
  }
  return found;
};

/** The same time of day. `exact` is fully known, as in a timetable. */
export const isSameTime = (time: Pick<ClockTime, "minutes" | "isHalfKnown">, exact: number): boolean =>
  time.isHalfKnown ? time.minutes % HALF === exact % HALF : time.minutes === exact;
