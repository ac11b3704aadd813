import {
  type Block,
  checkCells,
  codeFence,
  escapeLineStarts,
  headingLine,
  joinBlocks,
  oneLine,
  pipeTable,
} from "./markdown";

/** Maximum nesting of lists, quotes and tables. Deeper ones lose their structure, but not their text. */
const MAX_DEPTH = 12;

interface TableFrame {
  kind: "table";
  /** Content outside the cells, such as a caption. */
  blocks: Block[];
  rows: string[][];
  row: string[] | undefined;
  /** Cells that span the next rows, by column: their text and the number of rows left. */
  spans: Map<number, { text: string; rows: number }>;
  /** The blocks of all cells, in case the table is only used for layout. */
  content: Block[];
  isLayout: boolean;
}

interface CellFrame {
  kind: "cell";
  blocks: Block[];
  /** Columns and rows that the cell spans. */
  columns: number;
  rows: number;
  /** Whether the cell continues the one above. */
  isContinued: boolean;
}

type Frame =
  | { kind: "part" | "quote"; blocks: Block[] }
  | { kind: "item"; blocks: Block[]; label: string }
  | CellFrame
  | TableFrame;

/** Builds Markdown from the parts of a document, in order. Calls of `open` and `close` must be balanced. */
export class BlockBuilder {
  readonly #root: Frame = { kind: "part", blocks: [] };
  readonly #frames: Frame[] = [this.#root];
  #buffer: string[] = [];
  #cells = 0;

  get #top(): Frame {
    return this.#frames.at(-1) ?? this.#root;
  }

  /** Whether another list, quote or table may be opened. */
  get mayOpen(): boolean {
    return this.#frames.length <= MAX_DEPTH;
  }

  text(text: string): void {
    this.#buffer.push(text);
  }

  /** Ends the paragraph. */
  endParagraph(): void {
    const text = this.#takeText();
    if (text !== "") this.add({ text: escapeLineStarts(text) });
  }

  endHeading(level: number): void {
    const text = oneLine(this.#takeText());
    const inCell = this.#frames.findLast((frame) => frame.kind === "table");
    if (inCell) inCell.isLayout = true;
    if (text !== "") this.add({ text: headingLine(level, text) });
  }

  endCode(language: string): void {
    const code = this.#buffer.join("");
    this.#buffer = [];
    if (code.trim() !== "") this.add({ text: codeFence(code, language) });
  }

  endItem(label: string): void {
    const text = this.#takeText();
    if (text !== "") this.add({ text: `${label}${text.replaceAll("\n", "\n  ")}`, isItem: true });
  }

  add(block: Block): void {
    this.#top.blocks.push(block);
  }

  /** Returns all blocks and resets the builder. */
  takeBlocks(): Block[] {
    this.endParagraph();
    return this.#root.blocks.splice(0);
  }

  openPart(): void {
    this.#open({ kind: "part", blocks: [] });
  }

  openQuote(): void {
    this.#open({ kind: "quote", blocks: [] });
  }

  openItem(label: string): void {
    this.#open({ kind: "item", blocks: [], label });
  }

  openTable(): void {
    this.#open({
      kind: "table",
      blocks: [],
      rows: [],
      row: undefined,
      spans: new Map(),
      content: [],
      isLayout: false,
    });
  }

  openCell(columns = 1, rows = 1): void {
    this.#open({ kind: "cell", blocks: [], columns, rows, isContinued: false });
  }

  /** Changes the open cell. */
  mergeCell(merge: Partial<Pick<CellFrame, "columns" | "isContinued">>): void {
    if (this.#top.kind === "cell") Object.assign(this.#top, merge);
  }

  #open(frame: Frame): void {
    this.endParagraph();
    this.#frames.push(frame);
  }

  startRow(): void {
    const table = this.#top;
    if (table.kind !== "table") return;
    endRow(table);
    table.row = [];
  }

  endRow(): void {
    if (this.#top.kind === "table") endRow(this.#top);
  }

  /** Closes the innermost part, and returns its blocks if it is a plain part. */
  close(): Block[] {
    this.endParagraph();
    const frame = this.#frames.length > 1 ? this.#frames.pop() : undefined;
    if (!frame) return [];
    if (frame.kind === "table") this.#closeTable(frame);
    else if (frame.kind === "cell") this.#closeCell(frame);
    else if (frame.kind === "part") for (const block of frame.blocks) this.add(block);
    else if (frame.blocks.length > 0) {
      const text = joinBlocks(frame.blocks);
      const isItem = frame.kind === "item";
      const first = isItem ? frame.label : "> ";
      const rest = isItem ? " ".repeat(frame.label.length) : "> ";
      this.add({ text: first + text.replaceAll("\n", `\n${rest}`), isItem });
    }
    return frame.kind === "part" ? frame.blocks : [];
  }

  #closeCell(cell: CellFrame): void {
    const table = this.#top;
    if (table.kind !== "table") {
      for (const block of cell.blocks) this.add(block);
      return;
    }
    for (const block of cell.blocks) table.content.push(block);
    table.row ??= [];
    fillSpans(table, table.row);
    const above = cell.isContinued ? table.rows.at(-1)?.[table.row.length] : undefined;
    const text = above ?? oneLine(cell.blocks.map((block) => block.text).join(" "));
    this.#cells += cell.columns * cell.rows;
    checkCells(this.#cells);
    for (let i = 0; i < cell.columns; i++) {
      if (cell.rows > 1) table.spans.set(table.row.length, { text, rows: cell.rows - 1 });
      table.row.push(i === 0 ? text : "");
    }
  }

  #closeTable(table: TableFrame): void {
    endRow(table);
    const outer = this.#frames.findLast((frame) => frame.kind === "table");
    const isTable = !table.isLayout && table.rows.some((row) => row.length > 1);
    if (outer && isTable) outer.isLayout = true;
    for (const block of table.blocks) this.add(block);
    if (isTable) this.add({ text: pipeTable(table.rows) });
    else for (const block of table.content) this.add(block);
  }

  /** The text of the paragraph: spaces collapsed, line breaks kept. */
  #takeText(): string {
    const text = this.#buffer
      .join("")
      .replace(/[ \t\f]+/g, " ")
      .replace(/ ?\n ?/g, "\n")
      .trim();
    this.#buffer = [];
    return text;
  }
}

const endRow = (table: TableFrame): void => {
  const { row } = table;
  if (!row) return;
  fillSpans(table, row);
  if (row.some((cell) => cell !== "")) table.rows.push(row);
  table.row = undefined;
};

/** Adds the cells of earlier rows that span this one. */
const fillSpans = ({ spans }: TableFrame, row: string[]): void => {
  for (let span = spans.get(row.length); span; span = spans.get(row.length)) {
    if (--span.rows === 0) spans.delete(row.length);
    row.push(span.text);
  }
};
