import type { Section } from "./sections";
import type { TokenCounter } from "./token-counter";

/** A section with the prefix of its chunks. */
export interface FittedSection extends Section {
  /** Headings above it: `Leave > Illness`. */
  heading: string | null;
  /** Comes before a chunk's text in `searchText`. */
  prefix: string;
  /** Tokens that remain for text: without the prefix and the model's special tokens. */
  budget: number;
}

/** Maximum fraction of a chunk for the title and headings. */
const MAX_SHARE = 0.4;
const MAX_HEADING_CHARACTERS = 500;

/**
 * Adds the longest prefix that leaves enough room. Tries to leave out the title, then the upper headings, then the end of
 * the last heading.
 */
export const addPrefixes = async (
  sections: readonly Section[],
  { title, chunkTokens }: { title: string | null; chunkTokens: number },
  counter: TokenCounter,
): Promise<FittedSection[]> => {
  const most = Math.floor(chunkTokens * MAX_SHARE);
  const candidates = sections.map(({ path }) => prefixesOf(path, title));
  await counter.count(candidates.flat());
  for (const texts of candidates) {
    const last = texts.at(-1) ?? "";
    // Slightly less than the maximum, because words differ in length.
    if (counter.inside(last) > most)
      texts.push(last.slice(0, (last.length * most * 0.8) / counter.inside(last)).toWellFormed());
  }
  await counter.count(candidates.flat());
  return sections.map((section, i) => {
    const text = candidates[i]?.find((each) => counter.inside(each) <= most) ?? "";
    const prefix = text === "" ? "" : `${text}\n\n`;
    const budget = Math.max(1, chunkTokens - counter.marks - counter.inside(text));
    return { ...section, heading: headingOf(section.path) || null, prefix, budget };
  });
};

const headingOf = (path: readonly string[]): string => path.join(" > ").slice(-MAX_HEADING_CHARACTERS).toWellFormed();

const prefixesOf = (path: readonly string[], title: string | null): string[] => {
  const [top = "", ...lower] = path;
  const heading = headingOf(path);
  // A page's title is often its first heading with the site's name.
  const full = title?.startsWith(top)
    ? [title, ...lower].join(" > ")
    : top.startsWith(title ?? "")
      ? heading
      : `${title}\n${heading}`;
  return [full.trim(), heading, path.at(-1) ?? ""].filter((text) => text !== "");
};
