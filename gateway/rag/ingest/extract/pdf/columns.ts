import { rowsOf, type Segment } from "./spans";

const MIN_COLUMN_LINES = 3;
const MIN_GUTTER = 6;
/** Maximum fraction of lines that cross the gap between columns, such as titles above both. */
const MAX_CROSSING = 0.35;
/** A line of prose has at least this fraction of the usual length. */
const MIN_FILL = 0.6;
/** Minimum width of a column's usual line, in font sizes and in characters. */
const MIN_WIDTH = 9;
const MIN_LINE_CHARACTERS = 12;
/** Maximum difference in height between the cells of one table row: less than a line. */
const MAX_ROW_OFFSET = 8;
const MIN_TABLE_ROWS = 3;
const MIN_SAME_ROWS = 0.6;
const MAX_COLUMNS_DEPTH = 4;

/** Groups the segments of a page in reading order. Each group is read from top to bottom. */
export const readingOrder = (segments: readonly Segment[], depth = 0): Segment[][] => {
  const gutter = depth < MAX_COLUMNS_DEPTH ? findGutter(segments) : undefined;
  if (gutter === undefined) return [[...segments]];
  const groups: Segment[][] = [];
  let across: Segment[] = [];
  let band: Segment[] = [];
  const endBand = () => {
    const left = band.filter((segment) => segment.x1 <= gutter);
    const right = band.filter((segment) => segment.x1 > gutter);
    if (isProse(left) && isProse(right) && !areRows(left, right)) {
      if (across.length > 0) groups.push(across);
      const sides = isRightToLeft(band) ? [right, left] : [left, right];
      for (const side of sides) groups.push(...readingOrder(side, depth + 1));
      across = [];
    } else across = across.concat(band);
    band = [];
  };
  for (const row of rowsOf(segments)) {
    const isCrossing = row.some((segment) => segment.x0 < gutter && segment.x1 > gutter);
    if (isCrossing) endBand();
    for (const segment of row) (isCrossing ? across : band).push(segment);
  }
  endBand();
  if (across.length > 0) groups.push(across);
  return groups;
};

const isRightToLeft = (segments: readonly Segment[]): boolean =>
  segments.filter((segment) => segment.isRtl).length * 2 > segments.length;

/** The x between two columns: few segments cross it, and many lie on both sides. */
const findGutter = (segments: readonly Segment[]): number | undefined => {
  if (segments.length < 2 * MIN_COLUMN_LINES) return undefined;
  const starts = segments.map((segment) => segment.x0).sort((a, b) => a - b);
  const ends = segments.map((segment) => segment.x1).sort((a, b) => a - b);
  let best: { x: number; score: number } | undefined;
  let ended = 0;
  // Candidates lie just before the left edges, where a column may begin.
  for (let started = 0; started < starts.length; started++) {
    const x = starts[started] ?? 0;
    if (started > 0 && x - (starts[started - 1] ?? 0) < 1) continue;
    while (ended < ends.length && (ends[ended] ?? 0) <= x - MIN_GUTTER) ended++;
    const right = starts.length - started;
    const crossing = started - ended;
    const score = Math.min(ended, right) - crossing;
    if (Math.min(ended, right) < MIN_COLUMN_LINES || crossing > Math.min(ended, right) * 2 * MAX_CROSSING) continue;
    if (!best || score > best.score) best = { x: x - MIN_GUTTER / 2, score };
  }
  return best?.x;
};

/** Lines of running text have about the same length; table cells don't. */
const isProse = (segments: readonly Segment[]): boolean => {
  if (segments.length < MIN_COLUMN_LINES) return false;
  const widths = segments.map(({ x0, x1 }) => x1 - x0).sort((a, b) => a - b);
  const usual = widths[Math.floor(widths.length * 0.8)] ?? 0;
  const isLine = ({ x0, x1, size, text }: Segment) =>
    x1 - x0 >= usual * MIN_FILL && usual >= size * MIN_WIDTH && text.length >= MIN_LINE_CHARACTERS;
  return segments.filter(isLine).length * 2 >= segments.length;
};

/** Whether paragraphs on both sides begin at the same heights, as in a table with long cells. */
const areRows = (left: readonly Segment[], right: readonly Segment[]): boolean => {
  const [starts, others] = [paragraphStarts(left), paragraphStarts(right)];
  const same = starts.filter((y) => others.some((other) => Math.abs(other - y) < MAX_ROW_OFFSET)).length;
  return same >= MIN_TABLE_ROWS && same >= Math.max(starts.length, others.length) * MIN_SAME_ROWS;
};

/** Baselines of the lines that have more space above than usual. */
const paragraphStarts = (segments: readonly Segment[]): number[] => {
  const rows = rowsOf(segments).map((row) => row[0]?.y ?? 0);
  const distances = rows.slice(1).map((y, i) => (rows[i] ?? 0) - y);
  const least = Math.max(1, [...distances].sort((a, b) => a - b)[Math.floor(distances.length / 4)] ?? 1);
  return rows.slice(1).filter((_, i) => (distances[i] ?? 0) > least * 1.25);
};
