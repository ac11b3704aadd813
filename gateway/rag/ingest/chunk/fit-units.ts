import type { Range } from "./blocks";
import { MAX_CHUNK_CHARACTERS } from "./pack";
import type { FittedSection } from "./prefix";
import type { TokenCounter } from "./token-counter";
import { splitUnit, type Unit } from "./units";

/** Maximum fraction of a chunk for a repeated table header or list item. */
const MAX_HEADER_SHARE = 0.4;
/** Safety margin, because some tokenizers count fewer tokens for the parts of a text than for the whole. */
const SPARE_TOKENS = 2;

/** Counts the tokens of all units, and splits units until each fits into a chunk. */
export const fitUnits = async (
  text: string,
  sections: readonly FittedSection[],
  { chunkTokens }: { chunkTokens: number },
  counter: TokenCounter,
): Promise<void> => {
  const sliceOf = ({ start, end }: Range) => text.slice(start, end);
  const isCountable = ({ start, end }: Range) => end - start <= MAX_CHUNK_CHARACTERS;
  const headers = sections.flatMap(({ units }) =>
    units.flatMap(({ header }) => (header && isCountable(header) ? [sliceOf(header)] : [])),
  );
  await counter.count(headers);
  let open = [...sections];
  while (open.length > 0) {
    const uncounted = open.flatMap(({ units }) => units.filter((unit) => unit.tokens === undefined));
    await counter.count(uncounted.filter(isCountable).map(sliceOf));
    for (const section of open) {
      section.units = section.units.flatMap((unit): Unit[] => {
        if (unit.tokens !== undefined) return [unit];
        const tokens = isCountable(unit) ? counter.inside(sliceOf(unit)) : Number.POSITIVE_INFINITY;
        const isShort = tokens <= Math.max(1, section.budget - SPARE_TOKENS) || unit.end - unit.start < 2;
        if (!isShort) return partsOf(unit);
        return [{ ...unit, tokens, ...headerOf(unit, tokens, section) }];
      });
    }
    open = open.filter(({ units }) => units.some((unit) => unit.tokens === undefined));
  }

  function partsOf(unit: Unit): Unit[] {
    const { headingStart } = unit;
    const parts = splitUnit(text, { ...unit, header: undefined, headingStart: undefined }, chunkTokens);
    return parts.map((part, i) => (i === 0 ? { ...part, headingStart } : part));
  }

  function headerOf(
    { header }: Unit,
    tokens: number,
    { budget }: FittedSection,
  ): Pick<Unit, "header" | "headerTokens"> {
    if (!header || !isCountable(header)) return { header: undefined, headerTokens: 0 };
    const headerTokens = counter.inside(sliceOf(header));
    const fits = headerTokens <= chunkTokens * MAX_HEADER_SHARE && tokens + headerTokens + SPARE_TOKENS <= budget;
    return fits ? { header, headerTokens } : { header: undefined, headerTokens: 0 };
  }
};
