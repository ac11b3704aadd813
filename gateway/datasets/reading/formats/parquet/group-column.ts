import type { DecodedArray, FileMetaData, SchemaTree } from "hyparquet";
import { assembleNested } from "hyparquet/src/assemble.js";
import { DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { AppError } from "../../../../../lib/errors";
import { FORBIDDEN_NAMES, forbiddenName, type ReadingLimits } from "../../limits";
import { invalid, problemIn } from "../../problems";
import { Unreadable } from "../../rows";
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

interface Part {
  path: string;
  slices: ColumnSlices;
  rows: ColumnRows;
}

/**
 * A column in one row group. A nested column is stored as several leaf columns, which are read in step. A column that can't
 * be read, or can't be read after some row, has `Unreadable` values from there; other columns and row groups are not affected.
 */
export class GroupColumn {
  #parts: Part[] = [];
  #failure: Unreadable | undefined;

  constructor(
    private readonly schema: SchemaTree,
    private readonly context: GroupContext,
  ) {
    this.#orFail(() => {
      checkTypes(schema);
      this.#parts = guarded(
        () => leafPaths(schema, [context.footer.root]).map((path) => openPart(path, context)),
        "a column can't be found",
      );
    });
  }

  /** Why the rest of the column can't be read. */
  get failure(): string | undefined {
    return this.#failure?.message;
  }

  /** Rows that can be taken now, at least one. */
  available(): number {
    const count = this.#orFail(() => {
      const rows = Math.min(...this.#parts.map(({ rows }) => rows.available()));
      if (rows === 0) throw damaged("it has fewer rows than its footer declares");
      return rows;
    });
    return count ?? Number.POSITIVE_INFINITY;
  }

  /** Rows with texts as bytes; `count` is at most `available()`. */
  take(count: number): DecodedArray {
    return this.#orFail(() => this.#take(count)) ?? new Array(count).fill(this.#failure);
  }

  #take(count: number): DecodedArray {
    const { name } = this.schema.element;
    const parts = new Map<string, DecodedArray>(this.#parts.map(({ path, rows }) => [path, rows.take(count)]));
    if (this.schema.children.length > 0) {
      guarded(() => assembleNested(parts, this.schema, DEFAULT_PARSERS), "its nested values don't fit");
    }
    const rows = parts.get(name);
    if (rows?.length !== count) throw damaged("values are missing");
    return rows;
  }

  /** Undefined if `run` or an earlier step failed; open pages are released. */
  #orFail<T>(run: () => T): T | undefined {
    if (this.#failure) return undefined;
    try {
      return run();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.#failure = new Unreadable(problemIn(error));
      for (const { slices } of this.#parts) this.context.openPages.letGo(slices);
      this.#parts = [];
      return undefined;
    }
  }
}

const UNSUPPORTED = new Set(["VARIANT", "GEOMETRY", "GEOGRAPHY", "FILE", "BSON", "INTERVAL"]);

const checkTypes = ({ element, children }: SchemaTree): void => {
  const { name, logical_type: logical, converted_type: converted } = element;
  if (FORBIDDEN_NAMES.has(name)) throw invalid(`${forbiddenName(name)}.`);
  const type = [logical?.type, converted].find((each) => each !== undefined && UNSUPPORTED.has(each));
  if (type) throw invalid(`the type ${type} is not supported. Write the column as text, or map it to null.`);
  for (const child of children) checkTypes(child);
};

/** The paths from the root to every leaf of a column. */
const leafPaths = (tree: SchemaTree, above: readonly SchemaTree[]): SchemaTree[][] => {
  const path = [...above, tree];
  return tree.children.length === 0 ? [path] : tree.children.flatMap((child) => leafPaths(child, path));
};

const openPart = (schemaPath: SchemaTree[], { file, footer, group, openPages, limits }: GroupContext): Part => {
  const leaf = schemaPath.at(-1);
  const name = leaf?.path.join(".") ?? "";
  // By position: two columns may have the same name.
  const chunk = leaf && group.columns[footer.leaves.indexOf(leaf)];
  if (!chunk?.meta_data || chunk.file_path !== undefined || chunk.meta_data.path_in_schema.join(".") !== name) {
    throw damaged("a column is not in it", name);
  }
  const slices = new ColumnSlices(file, chunk.meta_data, schemaPath, openPages);
  return { path: name, slices, rows: new ColumnRows(slices, limits) };
};
