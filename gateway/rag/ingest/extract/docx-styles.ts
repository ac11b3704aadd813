import { walkXml } from "./xml";

/** The properties of a paragraph style that affect the text. */
export interface ParagraphStyle {
  /** 1 to 6 for a heading. */
  level?: number;
  list?: { id: string; depth: number };
}

interface StyleEntry extends ParagraphStyle {
  parent?: string;
}

const MAX_STYLE_CHAIN = 20;

/** Looks up styles by id, including inherited properties. */
export const readStyles = (xml: string): ((id: string) => ParagraphStyle) => {
  const styles = new Map<string, StyleEntry>();
  let style: StyleEntry = {};
  walkXml(xml, {
    open: (name, attributes) => {
      const value = attributes["w:val"] ?? "";
      if (name === "w:style") {
        style = {};
        styles.set(attributes["w:styleId"] ?? "", style);
      } else if (name === "w:name") {
        const level = /^heading (\d)$/i.exec(value)?.[1] ?? (/^title$/i.test(value) ? "1" : undefined);
        if (level) style.level = Number(level);
      } else if (name === "w:basedOn") style.parent = value;
      else if (name === "w:outlineLvl" && Number(value) < 6) style.level ??= Number(value) + 1;
      else if (name === "w:numId") style.list = { id: value, depth: style.list?.depth ?? 0 };
      else if (name === "w:ilvl") style.list = { id: style.list?.id ?? "0", depth: Number(value) };
    },
  });
  return (id) => {
    const found: ParagraphStyle = {};
    let next = styles.get(id);
    for (let i = 0; next && i < MAX_STYLE_CHAIN; i++) {
      found.level ??= next.level;
      found.list ??= next.list;
      next = next.parent === undefined ? undefined : styles.get(next.parent);
    }
    return found;
  };
};

interface NumberLevel {
  start: number;
  format: string;
  /** For example `%1.%2`: placeholders for the numbers of the levels. */
  pattern: string;
}

const MAX_DEPTH = 9;

/** Numbers list paragraphs as Word shows them. */
export class ListNumbers {
  readonly #lists = new Map<string, { abstractId: string; starts: Map<number, number> }>();
  readonly #levels = new Map<string, NumberLevel[]>();
  readonly #counts = new Map<string, number[]>();

  constructor(xml: string) {
    let abstractId = "";
    let listId = "";
    let level: NumberLevel = { start: 1, format: "", pattern: "" };
    let overridden = 0;
    walkXml(xml, {
      open: (name, attributes) => {
        const value = attributes["w:val"] ?? "";
        if (name === "w:abstractNum") {
          abstractId = attributes["w:abstractNumId"] ?? "";
          this.#levels.set(abstractId, []);
        } else if (name === "w:lvl") {
          level = { start: 1, format: "decimal", pattern: "" };
          const depth = Number(attributes["w:ilvl"]);
          if (listId === "" && depth < MAX_DEPTH) (this.#levels.get(abstractId) ?? [])[depth] = level;
        } else if (name === "w:start") level.start = Number(value) || 0;
        else if (name === "w:numFmt") level.format = value;
        else if (name === "w:lvlText") level.pattern = value;
        else if (name === "w:num") {
          listId = attributes["w:numId"] ?? "";
          this.#lists.set(listId, { abstractId: "", starts: new Map() });
        } else if (name === "w:abstractNumId") {
          const list = this.#lists.get(listId);
          if (list) list.abstractId = value;
        } else if (name === "w:lvlOverride") overridden = Number(attributes["w:ilvl"]);
        else if (name === "w:startOverride") this.#lists.get(listId)?.starts.set(overridden, Number(value) || 0);
      },
    });
  }

  /** The Markdown label of the next list paragraph, `- ` for a bullet; undefined if it isn't in a list. */
  next({ id, depth }: { id: string; depth: number }): string | undefined {
    const list = this.#lists.get(id);
    if (!list || id === "0") return undefined;
    const levels = this.#levels.get(list.abstractId) ?? [];
    const level = levels[depth];
    if (!level || level.format === "bullet") return "- ";
    if (level.format === "none") return undefined;
    const key = list.starts.size > 0 ? `list ${id}` : list.abstractId;
    const counts = this.#counts.get(key) ?? [];
    this.#counts.set(key, counts);
    const startOf = (at: number) => list.starts.get(at) ?? levels[at]?.start ?? 1;
    for (let at = 0; at < depth; at++) counts[at] ??= startOf(at);
    counts[depth] = (counts[depth] ?? startOf(depth) - 1) + 1;
    counts.length = depth + 1;
    const label = level.pattern.replace(/%(\d)/g, (_, place: string) => {
      const at = Number(place) - 1;
      return numberIn(levels[at]?.format ?? "decimal", counts[at] ?? 1);
    });
    return /^\d+[.)]$/.test(label) ? `${label} ` : `- ${label} `;
  }
}

const ROMAN: readonly [number, string][] = [
  [1000, "m"],
  [900, "cm"],
  [500, "d"],
  [400, "cd"],
  [100, "c"],
  [90, "xc"],
  [50, "l"],
  [40, "xl"],
  [10, "x"],
  [9, "ix"],
  [5, "v"],
  [4, "iv"],
  [1, "i"],
];

const roman = (number: number): string => {
  let left = Math.min(number, 3999);
  let text = "";
  for (const [value, letters] of ROMAN) for (; left >= value; left -= value) text += letters;
  return text;
};

const letter = (number: number): string =>
  String.fromCharCode(97 + ((number - 1) % 26)).repeat(Math.min(5, Math.ceil(number / 26)));

const numberIn = (format: string, number: number): string => {
  if (number < 1) return String(number);
  if (format === "lowerLetter") return letter(number);
  if (format === "upperLetter") return letter(number).toUpperCase();
  if (format === "lowerRoman") return roman(number);
  if (format === "upperRoman") return roman(number).toUpperCase();
  return String(number);
};
