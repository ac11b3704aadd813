/** A value of a context that is data, with the words of its key. */
export interface Fact {
  /** Words of the last key, in lower case: `RestaurantsTakeOut` gives restaurants, take, out. */
  key: readonly string[];
  /** Words of the key above; empty at the top. */
  parent: readonly string[];
  value: string | number | boolean | null;
}

/** What a context that is data says. */
export interface DataRecord {
  facts: readonly Fact[];
  /** The facts as lines of text, without those that say no or nothing. */
  text: string;
}

/** More facts than this are not looked at one by one; their text is compared all the same. */
const MAX_FACTS = 5000;
const DEEPEST = 24;

/** `businessStars`, `business_stars`, `Business stars` → business, stars. */
const keyWords = (key: string): string[] =>
  key
    .slice(0, 200)
    .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, "$1 $2")
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu) ?? [];

const parseObject = (text: string): object | null => {
  if (!/^\s*[[{]/.test(text)) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
};

const collect = (value: unknown, key: string, above: string, depth: number, facts: Fact[]): void => {
  if (facts.length >= MAX_FACTS || depth > DEEPEST) return;
  if (Array.isArray(value)) {
    for (const item of value) collect(item, key, above, depth + 1, facts);
  } else if (typeof value === "object" && value !== null) {
    for (const [name, inner] of Object.entries(value)) collect(inner, name, key, depth + 1, facts);
  } else if (typeof value === "string" || typeof value === "number" || typeof value === "boolean" || value === null) {
    facts.push({ key: keyWords(key), parent: keyWords(above), value });
  }
};

const DENIALS = new Set(["", "no", "none", "false", "null", "n/a", "unknown"]);

/** What a fact says of its key: yes, no, or nothing. Other values than yes and no say that the thing is there. */
export const stanceOf = ({ value }: Fact): "yes" | "no" | "unknown" => {
  if (value === null) return "unknown";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "string" && DENIALS.has(value.trim().toLowerCase()) ? "no" : "yes";
};

const lineOf = ({ key, value }: Fact): string => {
  const name = key.join(" ");
  return value === true ? `${name}.` : `${name}: ${value}.`;
};

/** undefined: the context is no data. JSON is data. */
export const readRecord = (context: string): DataRecord | undefined => {
  const parsed = parseObject(context);
  if (!parsed) return undefined;
  const facts: Fact[] = [];
  collect(parsed, "", "", 0, facts);
  const text = facts
    .filter((fact) => stanceOf(fact) === "yes")
    .map(lineOf)
    .join("\n");
  return facts.length >= MAX_FACTS ? { facts, text: context } : { facts, text };
};
