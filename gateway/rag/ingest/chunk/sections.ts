import { parseBlocks, type Range, type TextBlock } from "./blocks";
import { type Unit, unitsOf } from "./units";

/** Text under one heading. */
export interface Section {
  /** Headings above the text, topmost first. */
  path: string[];
  units: Unit[];
}

/**
 * The sections of a text, in order. Headings without text belong to the next section, or at the end to the previous one.
 */
export const sectionsOf = (text: string): Section[] => {
  const sections: Section[] = [];
  const above: { level: number; title: string }[] = [];
  let open: Section = { path: [], units: [] };
  let headings: Range[] = [];
  const parents = new ItemParents(text);
  for (const block of parseBlocks(text)) {
    const parent = parents.pass(block);
    if (block.kind !== "heading") {
      for (const unit of unitsOf(text, block)) {
        if (block.kind === "item") unit.header = parent;
        if (open.units.length === 0) unit.headingStart = headings[0]?.start;
        open.units.push(unit);
      }
      continue;
    }
    if (open.units.length > 0) {
      sections.push(open);
      headings = [];
    }
    headings.push(block);
    while ((above.at(-1)?.level ?? 0) >= block.level) above.pop();
    above.push(block);
    open = { path: above.map(({ title }) => title), units: [] };
  }
  if (open.units.length > 0) return [...sections, open];
  const left = headings.map(({ start, end }): Unit => ({ kind: "sentence", start, end, split: 4 }));
  const last = sections.at(-1);
  if (last) last.units = last.units.concat(left);
  else if (left.length > 0) sections.push({ ...open, units: left });
  return sections;
};

const MAX_PARENT_CHARACTERS = 200;

/** Finds the parents of nested list items. */
class ItemParents {
  #open: (Range & { indent: number })[] = [];

  constructor(private readonly text: string) {}

  /** The first line of a nested item's parent. Call it for each block, in order. */
  pass(block: TextBlock): Range | undefined {
    if (block.kind !== "item") {
      this.#open = [];
      return undefined;
    }
    const { start, end } = block;
    const item = this.text.slice(start, Math.min(end, start + MAX_PARENT_CHARACTERS));
    const indent = item.search(/\S/);
    this.#open = this.#open.filter((each) => each.indent < indent);
    const parent = this.#open.at(-1);
    const lineEnd = item.indexOf("\n");
    this.#open.push({ start, end: start + (lineEnd < 0 ? item.length : lineEnd), indent });
    return parent && { start: parent.start, end: parent.end };
  }
}
