import { Value } from "@sinclair/typebox/value";
import { Criterion } from "../../gateway/evals/contract";

/** The form of a line, for errors. */
const EXAMPLE = "polite: Is the answer polite?";

const LINE = /^([^:({]{1,100}?)\s*(?:\(([^()]*)\))?\s*:\s*(\S.*)$/;
const NUMBER = "(-?\\d{1,9}(?:\\.\\d{1,9})?)";
const SCALE = new RegExp(`^${NUMBER} to ${NUMBER}(?:, ${NUMBER} or (more|less) passes)?$`);

/** Without a scale, a judge answers no (0) or yes (1), and yes passes. */
const YES_OR_NO = { scale: { min: 0, max: 1, step: 1 }, direction: "higher_is_better", threshold: 1 } as const;

/** A scale of "1 to 5, 4 or more passes". Whole numbers have a step of 1. */
const readScale = (text: string): Pick<Criterion, "scale" | "direction" | "threshold"> | undefined => {
  const [, from, to, threshold, side] = SCALE.exec(text.trim().replace(/\s+/g, " ").toLowerCase()) ?? [];
  if (from === undefined || to === undefined) return undefined;
  const [min, max] = [Number(from), Number(to)];
  const step = Number.isInteger(min) && Number.isInteger(max) ? 1 : null;
  return {
    scale: { min, max, step },
    direction: side === "less" ? "lower_is_better" : "higher_is_better",
    threshold: threshold === undefined ? null : Number(threshold),
  };
};

/** A line as a criterion, or what is wrong with it. */
const readLine = (line: string): Criterion | string => {
  if (line.startsWith("{")) {
    try {
      const read: unknown = JSON.parse(line);
      if (Value.Check(Criterion, read)) return read;
    } catch {
      // Reported below.
    }
    return "it is not a criterion in the API's format";
  }
  const [, name = "", scale, description = ""] = LINE.exec(line) ?? [];
  if (name === "") return `write a name, a colon and a question, such as “${EXAMPLE}”`;
  const values = scale === undefined ? YES_OR_NO : readScale(scale);
  if (!values) return "write the scale as “1 to 5, 4 or more passes”";
  const criterion = { name: name.toLowerCase().replace(/[\s-]+/g, "_"), description, ...values, weight: 1 };
  if (Value.Check(Criterion, criterion)) return criterion;
  return "a name consists of letters, digits and underscores, and starts with a letter";
};

/**
 * Reads criteria for a judge, one per line: "polite: Is the answer polite?", "depth (1 to 5, 4 or more passes): How …", or
 * a criterion as JSON. Returns the problem of the first wrong line instead.
 */
export const readOwnCriteria = (text: string): Criterion[] | { problem: string } => {
  const criteria: Criterion[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const read = readLine(line.trim());
    if (typeof read === "string") return { problem: `Line ${index + 1}: ${read}` };
    criteria.push(read);
  }
  return criteria;
};

/** The lines that `readOwnCriteria` reads as these criteria. */
export const writeOwnCriteria = (criteria: readonly Criterion[]): string =>
  criteria
    .map((criterion) => {
      const { name, description, scale, direction, threshold } = criterion;
      const side = direction === "higher_is_better" ? "more" : "less";
      const rule = threshold === null ? "" : `, ${threshold} or ${side} passes`;
      const short = [`${name}: ${description}`, `${name} (${scale.min} to ${scale.max}${rule}): ${description}`];
      const isRead = (line: string) => Bun.deepEquals(readLine(line), criterion);
      return short.find(isRead) ?? JSON.stringify(criterion);
    })
    .join("\n");
