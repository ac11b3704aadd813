import type { Range } from "./blocks";
import type { Section } from "./sections";
import type { Unit } from "./units";

export const MAX_CHUNK_CHARACTERS = 20_000;

/** The range of a chunk. `bodyStart` is the offset after its headings. */
interface Pack extends Range {
  bodyStart: number;
  /** The table header to repeat before its text. */
  header?: Range;
}

interface PackOptions {
  /** Maximum tokens of a chunk's units in total. */
  budget: number;
  overlap: number;
  maxCharacters: number;
  pageOf: (offset: number) => number | null;
}

/**
 * Fills chunks with units, in order. Each chunk starts with up to `overlap` tokens of whole sentences from the previous
 * chunk.
 */
export const packSection = ({ units }: Section, { budget, overlap, maxCharacters, pageOf }: PackOptions): Pack[] => {
  const packs: Pack[] = [];
  let open: Unit[] = [];
  let tokens = 0;
  const end = () => {
    const [first] = open;
    const last = open.at(-1);
    if (!first || !last) return;
    const { header, headingStart = first.start } = first;
    const start = last.end - headingStart <= maxCharacters ? headingStart : first.start;
    packs.push({ start, end: last.end, bodyStart: first.start, header });
  };
  for (const unit of units) {
    const size = unit.tokens ?? 0;
    const isFull = () => tokens + size > budget || unit.end - (open[0]?.start ?? unit.start) > maxCharacters;
    const isNewPage = open[0] !== undefined && pageOf(open[0].start) !== pageOf(unit.start);
    if (open.length > 0 && (isNewPage || isFull())) {
      end();
      open = isNewPage ? [] : repeated(open, overlap);
      for (tokens = costOf(open); open.length > 0 && isFull(); tokens = costOf(open)) open.shift();
    }
    if (open.length === 0) tokens = unit.headerTokens ?? 0;
    open.push(unit);
    tokens += size;
  }
  end();
  return packs;
};

/** Tokens of the units, including the header that is repeated before the first one. */
const costOf = (units: readonly Unit[]): number =>
  units.reduce((sum, unit) => sum + (unit.tokens ?? 0), units[0]?.headerTokens ?? 0);

/** The last sentences and list items of a chunk, up to `overlap` tokens; never the whole chunk. */
const repeated = (units: readonly Unit[], overlap: number): Unit[] => {
  let from = units.length;
  let tokens = 0;
  while (from > 1) {
    const unit = units[from - 1];
    if (!unit || unit.kind === "row" || unit.kind === "code") break;
    tokens += unit.tokens ?? 0;
    if (tokens > overlap) break;
    from--;
  }
  return units.slice(from);
};
