import { cleanText } from "../clean-text";

/** Text in one font on a page. Coordinates are in points as the page is read: x to the right, y up. */
export interface Span {
  text: string;
  x0: number;
  x1: number;
  /** Baseline. */
  y: number;
  size: number;
  font: string;
  isRtl: boolean;
}

/** A part of a line without wide gaps: a line of a column, or a cell. */
export interface Segment extends Span {
  page: number;
  /** The lead of the most common font over the others, in characters. */
  fontLength: number;
  /** Whether it begins with a list number or bullet that is separate from the text. */
  hasLabel?: boolean;
}

/** A piece of text as pdf.js reports it. */
export interface TextItem {
  str: string;
  dir: string;
  transform: number[];
  width: number;
  fontName: string;
}

/** Prefix of the names of monospaced fonts. */
const MONO = "monospace ";

export const isMonospaced = ({ font }: { font: string }): boolean => font.startsWith(MONO);

/** Maximum gap between words, in font sizes. Wider gaps separate columns and cells. */
const MAX_WORD_GAP = 1;
const MIN_SPACE = 0.15;
/** Minimum fraction of upright text for it to be read first. */
const MIN_UPRIGHT_SHARE = 0.2;

/** Groups the spans of a page by direction, the main direction first. Titles at the side of a page are rotated. */
export const spansByDirection = (
  items: readonly TextItem[],
  pageRotation: number,
  isMono: (font: string) => boolean,
): Span[][] => {
  const groups = new Map<number, Span[]>();
  for (const item of items) {
    const text = cleanText(item.str).replaceAll("\n", " ");
    const [a = 0, b = 0, c = 0, d = 0, x = 0, y = 0] = item.transform;
    const size = Math.hypot(c, d);
    if (text.trim() === "" || !(size > 0.5) || !Number.isFinite(x + y + item.width)) continue;
    const angle = Math.atan2(b, a);
    const degrees = (Math.round((angle * 180) / Math.PI / 5) * 5 + 360) % 360;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const x0 = x * cos + y * sin;
    const span = {
      text,
      x0,
      x1: x0 + item.width,
      y: y * cos - x * sin,
      size,
      font: isMono(item.fontName) ? MONO + item.fontName : item.fontName,
      isRtl: item.dir === "rtl",
    };
    groups.getOrInsertComputed(degrees, () => []).push(span);
  }
  const lengths = new Map([...groups].map(([degrees, spans]) => [degrees, lengthOf(spans)]));
  const total = [...lengths.values()].reduce((sum, each) => sum + each, 0);
  const rank = (degrees: number) => {
    const length = lengths.get(degrees) ?? 0;
    const isUpright = degrees === (pageRotation + 360) % 360;
    return isUpright && length >= total * MIN_UPRIGHT_SHARE ? total + length : length;
  };
  return [...groups].sort(([a], [b]) => rank(b) - rank(a)).map(([, spans]) => spans);
};

const lengthOf = (spans: readonly Span[]): number => spans.reduce((sum, { text }) => sum + text.length, 0);

/** Groups spans by line, from top to bottom. Raised and lowered characters belong to their line. */
export const rowsOf = <T extends Span>(spans: readonly T[]): T[][] => {
  const rows: T[][] = [];
  let biggest: Span | undefined;
  for (const span of [...spans].sort((a, b) => b.y - a.y || a.x0 - b.x0)) {
    const row = rows.at(-1);
    if (row && biggest && isBeside(span, biggest)) row.push(span);
    else {
      rows.push([span]);
      biggest = undefined;
    }
    if (!biggest || span.size > biggest.size) biggest = span;
  }
  return rows;
};

const CAPITAL_HEIGHT = 0.7;

/** Whether two spans overlap by more than half of their height. */
const isBeside = (a: Span, b: Span): boolean => {
  const [heightA, heightB] = [a.size * CAPITAL_HEIGHT, b.size * CAPITAL_HEIGHT];
  return Math.min(a.y + heightA, b.y + heightB) - Math.max(a.y, b.y) > Math.min(heightA, heightB) / 2;
};

export const leftOf = (spans: readonly Span[]): number =>
  spans.reduce((least, { x0 }) => Math.min(least, x0), Number.POSITIVE_INFINITY);

/** Joins the spans of a row into segments, in the direction of the script. */
export const segmentsOf = (row: readonly Span[], page: number): Segment[] => {
  const isRtl = lengthOf(row.filter((span) => span.isRtl)) * 2 > lengthOf(row);
  const sorted = [...row].sort((a, b) => (isRtl ? b.x1 - a.x1 : a.x0 - b.x0));
  const size = row.reduce((most, span) => Math.max(most, span.size), 0);
  const segments: Segment[] = [];
  for (const span of sorted) {
    const last = segments.at(-1);
    const gap = last ? (isRtl ? last.x0 - span.x1 : span.x0 - last.x1) : 0;
    const isTwice = last?.text.endsWith(span.text) && Math.abs(gap + (span.x1 - span.x0)) < size * 0.1;
    if (isTwice) continue;
    const isApart = last && (gap > Math.min(last.size, span.size) * MAX_WORD_GAP || isOnOtherLine(last, span));
    if (!last || isApart) segments.push({ ...span, page, fontLength: span.text.length });
    else {
      const isRaised = span.size < last.size * 0.85 && span.y - last.y > last.size * 0.15;
      const text = isRaised ? noteMark(last.text, span.text) : span.text;
      const isSpaced = gap > size * MIN_SPACE && !/\s$/.test(last.text) && !/^\s/.test(text) && text === span.text;
      last.text += (isSpaced ? " " : "") + text;
      last.x0 = Math.min(last.x0, span.x0);
      last.x1 = Math.max(last.x1, span.x1);
      if (span.size > last.size) Object.assign(last, { size: span.size, y: span.y });
      countFont(last, span);
    }
  }
  return segments.map((segment) => ({ ...segment, text: segment.text.replace(/\s+/g, " ").trim() }));
};

/** Tracks the most common font of a segment (Boyer and Moore's majority vote). */
const countFont = (segment: Segment, { font, text }: Span): void => {
  segment.fontLength += font === segment.font ? text.length : -text.length;
  if (segment.fontLength < 0) Object.assign(segment, { font, fontLength: -segment.fontLength });
};

/** Whether overlapping spans are on different lines. On one line, only smaller characters have another baseline. */
const isOnOtherLine = (a: Span, b: Span): boolean =>
  Math.abs(a.y - b.y) > Math.max(a.size, b.size) * 0.05 && Math.min(a.size, b.size) > Math.max(a.size, b.size) * 0.85;

/** A raised number after a word or full stop is a footnote marker; after a short unit it is an exponent. */
const noteMark = (before: string, raised: string): string =>
  /^\d{1,3}$/.test(raised.trim()) && /(?:[.,;:!?)\]”’"]|\p{L}{3})$/u.test(before) ? `[^${raised.trim()}]` : raised;
