import type { ColumnMetaData, DecodedArray, PageHeader, SchemaTree } from "hyparquet";
import { assembleLists } from "hyparquet/src/assemble.js";
import { getMaxDefinitionLevel, getMaxRepetitionLevel } from "hyparquet/src/schema.js";
import { invalid, MAX_DEPTH, type ReadingLimits, rowTooLong } from "../../limits";
import {
  bitWidth,
  type Decoder,
  type Dictionary,
  openValues,
  readDictionary,
  readHybrid,
  type TakeValues,
} from "./encodings";
import { checkStated, damaged, guarded, type RandomFile } from "./file";
import { type OpenPages, RawPages, statedCount, valueCost } from "./pages";
import { countBytes, valueParser } from "./values";

/** Values that are made at a time; a page holds many times as many. */
const SLICE_VALUES = 512;
/** Beyond what open pages may cost in any case. */
const MAX_STATED = 1 << 26;

interface OpenPage {
  levels: Levels;
  take: TakeValues;
  /** Values with those that are null, and how many have been taken. */
  count: number;
  taken: number;
}

/** Reads the values of one column in one row group in slices, with one page open at a time. */
export class ColumnSlices {
  /** Names of the schema's parts, joined by dots. */
  readonly column: string;
  readonly #raw: RawPages;
  readonly #decoder: Decoder;
  readonly #schemaPath: SchemaTree[];
  readonly #bounds: { repetition: number; definition: number };
  #dictionary: Dictionary | undefined;
  #dictionaryCost = 0;
  #page: OpenPage | undefined;

  /** `schemaPath` leads from the root of the schema to the values. */
  constructor(
    file: RandomFile,
    metadata: ColumnMetaData,
    schemaPath: SchemaTree[],
    private readonly openPages: OpenPages,
  ) {
    this.column = metadata.path_in_schema.join(".");
    const element = schemaPath.at(-1)?.element;
    if (!element?.type) throw damaged("a column has no type", this.column);
    if (schemaPath.length > MAX_DEPTH) {
      throw invalid(`the column is more than ${MAX_DEPTH} levels deep. Flatten it.`, { column: this.column });
    }
    this.#raw = new RawPages(file, metadata, this.column);
    this.#schemaPath = schemaPath;
    const { type, type_length: typeLength } = element;
    this.#decoder = { column: this.column, type, typeLength, toValue: valueParser(schemaPath) };
    this.#bounds = { repetition: getMaxRepetitionLevel(schemaPath), definition: getMaxDefinitionLevel(schemaPath) };
  }

  /** A row may be a list, which may go on in the next slice. */
  get isNested(): boolean {
    return this.#bounds.repetition > 0;
  }

  /** The rows of the next slice behind `begun`, a row that may go on in it; undefined at the end. Throws dataset_invalid. */
  next(begun: unknown[]): DecodedArray | undefined {
    return guarded(() => this.#next(begun), "a page can't be decoded", this.column);
  }

  #next(begun: unknown[]): DecodedArray | undefined {
    while (!this.#page || this.#page.taken === this.#page.count) {
      this.#page = undefined;
      const header = this.#raw.header();
      if (!header) {
        this.openPages.letGo(this);
        return undefined;
      }
      if (header.type === "INDEX_PAGE") this.#raw.pass(header);
      else if (header.type === "DICTIONARY_PAGE") this.#openDictionary(header);
      else this.#page = this.#openData(header);
    }
    return this.#slice(this.#page, begun);
  }

  #openDictionary(header: PageHeader): void {
    this.#dictionary = undefined;
    this.#dictionaryCost = 0;
    const { page, count, cost } = this.#open(header);
    this.#dictionaryCost = cost;
    this.#dictionary = readDictionary(page, count, this.#decoder);
  }

  #openData(header: PageHeader): OpenPage {
    const { page, count, cost } = this.#open(header);
    const levels = readLevels(header, page, count, this.#bounds, this.column);
    const { definitions, valuesAt: at } = levels;
    const present = definitions ? countOf(definitions, this.#bounds.definition) : count;
    const holdMore = (bytes: number) => this.openPages.hold(this, cost + this.#dictionaryCost + bytes, this.column);
    const context = { decoder: this.#decoder, dictionary: this.#dictionary, holdMore };
    const take = openValues(header, { page, at, count: present }, context);
    return { levels, take, count, taken: 0 };
  }

  #open(header: PageHeader): { page: Uint8Array; count: number; cost: number } {
    const size = checkStated(header.uncompressed_page_size, MAX_STATED, this.column);
    const count = checkStated(statedCount(header), MAX_STATED, this.column);
    const cost = size + count * valueCost(header, this.#decoder.type);
    this.openPages.hold(this, cost + this.#dictionaryCost, this.column);
    return { page: this.#raw.take(header), count, cost };
  }

  #slice(page: OpenPage, begun: unknown[]): DecodedArray {
    const { levels, take, count, taken } = page;
    page.taken = Math.min(taken + SLICE_VALUES, count);
    const definitions = levels.definitions?.subarray(taken, page.taken);
    const repetitions = levels.repetitions?.subarray(taken, page.taken) ?? [];
    const present = definitions ? countOf(definitions, this.#bounds.definition) : page.taken - taken;
    const values = take(present);
    if (values.length !== present) throw damaged("a page has too few values", this.column);
    const output = this.isNested ? begun : [];
    return assembleLists(output, definitions && [...definitions], [...repetitions], values, this.#schemaPath);
  }
}

const countOf = (levels: Uint8Array, wanted: number): number => {
  let count = 0;
  for (const level of levels) if (level === wanted) count++;
  return count;
};

/** Returns the rows of one column, as many at a time as requested. */
export class ColumnRows {
  #rows: DecodedArray = [];
  #at = 0;
  /** The last row of a slice of lists, which may continue in the next slice. */
  #begun: unknown[] = [];
  #isAtEnd = false;

  constructor(
    private readonly slices: ColumnSlices,
    private readonly limits: ReadingLimits,
  ) {}

  /** Number of rows that can be taken now; 0 at the end. */
  available(): number {
    while (this.#at === this.#rows.length && !this.#isAtEnd) this.#load();
    return this.#rows.length - this.#at;
  }

  /** `count` is at most `available()`. */
  take(count: number): unknown[] {
    const rows = Array.from<unknown>(this.#rows.slice(this.#at, this.#at + count));
    this.#at += count;
    return rows;
  }

  #load(): void {
    const rows = this.slices.next(this.#begun);
    const isList = rows !== undefined && this.slices.isNested;
    this.#rows = isList ? rows.slice(0, -1) : (rows ?? this.#begun);
    this.#begun = isList ? Array.from<unknown>(rows.slice(-1)) : [];
    this.#at = 0;
    this.#isAtEnd = rows === undefined;
    if (countBytes(this.#begun) <= this.limits.maxRowBytes) return;
    throw rowTooLong(this.limits, { column: this.slices.column });
  }
}

/** How the values of a page map to rows, as Dremel levels; undefined if all of them are 0. */
interface Levels {
  repetitions?: Uint8Array;
  definitions?: Uint8Array;
  /** Offset of the values in the page. */
  valuesAt: number;
}

/** Reads `count` levels of each kind from a page; `bounds` are the column's maximum levels. Throws dataset_invalid. */
const readLevels = (
  { data_page_header_v2: v2 }: PageHeader,
  page: Uint8Array,
  count: number,
  bounds: { repetition: number; definition: number },
  column: string,
): Levels => {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  let at = 0;
  const read = (max: number, stated: number | undefined): Uint8Array | undefined => {
    if (max === 0 && stated === undefined) return undefined;
    // Version 1 pages have the length before the levels, version 2 pages have it in the header.
    const start = stated === undefined ? at + 4 : at;
    const end = checkStated(start + (stated ?? view.getUint32(at, true)), page.length, column);
    at = end;
    if (max === 0) return undefined;
    const levels = new Uint8Array(count);
    readHybrid(page, { start, end, width: bitWidth(max) }, levels);
    return levels;
  };
  const repetitions = read(bounds.repetition, v2?.repetition_levels_byte_length);
  const definitions = read(bounds.definition, v2?.definition_levels_byte_length);
  return { repetitions, definitions, valuesAt: at };
};
