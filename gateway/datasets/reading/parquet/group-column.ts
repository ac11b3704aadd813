import type { DecodedArray, FileMetaData, SchemaTree } from "hyparquet";
import { assembleNested } from "hyparquet/src/assemble.js";
import { DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { getTreePath } from "hyparquet/src/schema.js";
import type { ReadingLimits } from "../limits";
import { ColumnRows } from "./column-rows";
import { ColumnSlices } from "./column-slices";
import { damaged, guarded, type RandomFile } from "./file";
import type { Footer } from "./footer";
import type { OpenPages } from "./open-pages";

export interface GroupContext {
  file: RandomFile;
  footer: Footer;
  group: FileMetaData["row_groups"][number];
  openPages: OpenPages;
  limits: ReadingLimits;
}

/** A column in one row group. What is nested in it is stored as several columns of values, which go in step. */
export class GroupColumn {
  readonly #parts: { path: string; rows: ColumnRows }[];

  constructor(
    private readonly schema: SchemaTree,
    context: GroupContext,
  ) {
    const open = (path: string[]) => ({ path: path.join("."), rows: openRows(path, context) });
    this.#parts = guarded(() => leavesOf(schema).map(open), "a column can't be found", schema.element.name);
  }

  get name(): string {
    return this.schema.element.name;
  }

  /** Rows that can be taken now; 0 at the end. */
  available(): number {
    return Math.min(...this.#parts.map(({ rows }) => rows.available()));
  }

  /** Rows as hyparquet makes them, texts as bytes; `count` is at most `available()`. */
  take(count: number): DecodedArray {
    const parts = new Map<string, DecodedArray>(this.#parts.map(({ path, rows }) => [path, rows.take(count)]));
    if (this.schema.children.length > 0) {
      guarded(() => assembleNested(parts, this.schema, DEFAULT_PARSERS), "its nested values don't fit", this.name);
    }
    const rows = parts.get(this.name);
    if (rows?.length !== count) throw damaged("values are missing", this.name);
    return rows;
  }
}

const leavesOf = ({ children, path }: SchemaTree): string[][] =>
  children.length === 0 ? [path] : children.flatMap(leavesOf);

const openRows = (path: string[], { file, footer, group, openPages, limits }: GroupContext): ColumnRows => {
  const name = path.join(".");
  const chunk = group.columns.find(({ meta_data }) => meta_data?.path_in_schema.join(".") === name);
  if (!chunk?.meta_data || chunk.file_path !== undefined) throw damaged("a column is not in it", name);
  const schemaPath = getTreePath(footer.root, path);
  return new ColumnRows(new ColumnSlices(file, chunk.meta_data, schemaPath, openPages), limits);
};
