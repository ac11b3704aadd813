import fc from "fast-check";
import { NumberText } from "../../gateway/datasets/reading/formats/json-value";
import { type RawRow, Unreadable, type Warn, type Warning } from "../../gateway/datasets/reading/rows";
import { defaultConfig } from "../../lib/settings";

export const LIMITS = defaultConfig().datasets;

/** JSON values without the property names that readers reject, which fast-check generates often. */
export const plainJson = fc
  .jsonValue()
  .filter((value) => !/__proto__|constructor|prototype/.test(JSON.stringify(value)));

/** Yields the content in blocks of `size` bytes. */
export async function* inBlocks(content: string | Uint8Array, size = 65_536): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(content);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Yields the text in pieces of `size` characters. */
export async function* inPieces(text: string, size: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

/** Collects rows as values that tests can compare: `[line, values by column]`, or "line: message" for an error. */
export const listRows = async (rows: AsyncIterable<RawRow>): Promise<unknown[]> => {
  const list: unknown[] = [];
  for await (const row of rows) {
    list.push(
      "problem" in row
        ? `${row.line}: ${row.problem.message}`
        : [row.line, Object.fromEntries(row.columns.map((column, i) => [column, plain(row.values[i])]))],
    );
  }
  return list;
};

const plain = (value: unknown): unknown => {
  if (value instanceof NumberText) return value.text;
  if (value instanceof Unreadable) return `unreadable: ${value.message}`;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
};

/** Ignores warnings, for tests that check only the rows. */
export const noWarning: Warn = () => undefined;

/** Collects warnings in order, each as "line: message". */
export const keepWarnings = (): { warn: Warn; warnings: string[] } => {
  const warnings: string[] = [];
  return { warnings, warn: ({ line, message }: Warning) => void warnings.push(`${line}: ${message}`) };
};
