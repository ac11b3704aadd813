import { BlockBuilder } from "./blocks";
import { type ReadDocument, unreadable } from "./document";
import { ListNumbers, type ParagraphStyle, readStyles } from "./docx-styles";
import { type Block, escapeLineStarts, headingLine, joinBlocks, oneLine } from "./markdown";
import { walkXml } from "./xml";
import { ZipFile } from "./zip";

/** Maximum unpacked size of all parts that are read. */
const MAX_UNPACKED_BYTES = 64_000_000;
/** Content that Word doesn't show: deleted and moved text, copies of drawings for old versions, readings of ideographs. */
const SKIPPED = new Set(["w:del", "w:moveFrom", "mc:Fallback", "w:rt", "w:pPrChange", "w:rPrChange", "w:tblPrChange"]);
/** Titles that programs write into files without one. */
const NO_TITLE = /^(?:word document|document\s*\d*|untitled.*|microsoft word - .*|dokument\s*\d*)$/i;
const MAX_SPAN = 100;

/**
 * Reads text with headings, list numbers, tables, text boxes and notes. We don't use mammoth, because it drops the numbers
 * that people ask for ("clause 4.2") and keeps the whole XML tree in memory. Throws invalid_request if the file can't be
 * read.
 */
export const readDocx = (bytes: Uint8Array): ReadDocument => {
  const zip = new ZipFile(bytes, MAX_UNPACKED_BYTES);
  const main = mainPart(zip);
  const folder = main.slice(0, main.lastIndexOf("/") + 1);
  const reader = new DocxReader(
    readStyles(zip.text(`${folder}styles.xml`)),
    new ListNumbers(zip.text(`${folder}numbering.xml`)),
    {
      footnote: readNotes(zip.text(`${folder}footnotes.xml`), "w:footnote"),
      endnote: readNotes(zip.text(`${folder}endnotes.xml`), "w:endnote"),
    },
  );
  walkXml(zip.text(main), reader);
  const title = titleOf(zip.text("docProps/core.xml"));
  return { title: NO_TITLE.test(title) ? null : title || null, text: joinBlocks(reader.finish()) };
};

const mainPart = (zip: ZipFile): string => {
  let main = "word/document.xml";
  walkXml(zip.text("_rels/.rels"), {
    open: (_, { Type = "", Target = "" }) => {
      if (Type.endsWith("/officeDocument")) main = Target.replace(/^\//, "");
    },
  });
  if (zip.has(main) && main.endsWith(".xml") && !/^(?:xl|ppt)\//.test(main)) return main;
  throw unreadable(
    "The file is a ZIP archive without a Word document. Upload a DOCX file, or the files in it one by one.",
  );
};

const titleOf = (core: string): string => {
  let isTitle = false;
  let title = "";
  walkXml(core, {
    open: (name) => {
      isTitle = name === "dc:title";
    },
    close: () => {
      isTitle = false;
    },
    text: (text) => {
      if (isTitle) title += text;
    },
  });
  return oneLine(title);
};

/** The texts of footnotes or endnotes, by id. */
const readNotes = (xml: string, element: string): Map<string, string> => {
  const notes = new Map<string, string>();
  let id: string | undefined;
  let isText = false;
  let skipped = 0;
  let parts: string[] = [];
  walkXml(xml, {
    open: (name, attributes) => {
      if (name === element) id = attributes["w:id"];
      else if (SKIPPED.has(name)) skipped++;
      isText = name === "w:t";
    },
    close: (name) => {
      isText = false;
      if (SKIPPED.has(name)) skipped--;
      else if (name === "w:p") parts.push(" ");
      if (name !== element) return;
      notes.set(id ?? "", oneLine(parts.join("")));
      parts = [];
    },
    text: (text) => {
      if (isText && skipped === 0) parts.push(text);
    },
  });
  return notes;
};

interface Paragraph {
  style: ParagraphStyle;
  level?: number;
  list?: ParagraphStyle["list"];
  parts: string[];
  /** Text boxes and notes that follow the paragraph. */
  after: Block[];
  /** Whether its end is deleted, so that the next paragraph continues it. */
  isJoined: boolean;
  tables: number;
}

class DocxReader {
  readonly #builder = new BlockBuilder();
  readonly #paragraphs: Paragraph[] = [];
  /** For each open table, whether the builder opened one too. */
  readonly #tables: boolean[] = [];
  #carried = "";
  #notes = 0;
  #skipped = 0;
  #properties: "paragraph" | "run" | undefined;
  #isHiddenRun = false;
  #isText = false;

  constructor(
    private readonly styleOf: (id: string) => ParagraphStyle,
    private readonly numbers: ListNumbers,
    private readonly notes: Readonly<Record<"footnote" | "endnote", Map<string, string>>>,
  ) {}

  readonly open = (name: string, attributes: Record<string, string>): void => {
    const value = attributes["w:val"] ?? "";
    const paragraph = this.#paragraphs.at(-1);
    if (SKIPPED.has(name)) this.#skipped++;
    if (name === "w:del" && this.#properties === "paragraph" && paragraph) paragraph.isJoined = true;
    if (this.#skipped > 0) return;
    this.#isText = name === "w:t" || name === "m:t";
    if (name === "w:p") this.#paragraphs.push(this.#newParagraph());
    else if (name === "w:pPr") this.#properties = "paragraph";
    else if (name === "w:r") this.#isHiddenRun = false;
    else if (name === "w:rPr") this.#properties ??= "run";
    else if (name === "w:vanish" && this.#properties === "run") this.#isHiddenRun = !/^(?:0|false|off)$/.test(value);
    else if (name === "w:tbl") this.#openTable();
    else if (this.#tables.at(-1) && TABLE_PARTS.has(name)) this.#openTablePart(name, value);
    else if (paragraph) this.#openInParagraph(paragraph, name, attributes);
  };

  #newParagraph(): Paragraph {
    const parts = this.#carried === "" ? [] : [this.#carried];
    this.#carried = "";
    return { style: {}, parts, after: [], isJoined: false, tables: this.#tables.length };
  }

  #openInParagraph(paragraph: Paragraph, name: string, attributes: Record<string, string>): void {
    const value = attributes["w:val"] ?? "";
    if (name === "w:pStyle") paragraph.style = this.styleOf(value);
    else if (name === "w:outlineLvl") paragraph.level = Number(value) < 6 ? Number(value) + 1 : undefined;
    else if (name === "w:numId") paragraph.list = { id: value, depth: paragraph.list?.depth ?? 0 };
    else if (name === "w:ilvl") paragraph.list = { id: paragraph.list?.id ?? "", depth: Number(value) || 0 };
    else if (this.#isHiddenRun) return;
    else if (name === "w:tab" && this.#properties === undefined) paragraph.parts.push(" ");
    else if (name === "w:br" || name === "w:cr") paragraph.parts.push("\n");
    else if (name === "w:noBreakHyphen") paragraph.parts.push("-");
    else if (name === "w:footnoteReference") this.#note(paragraph, this.notes.footnote.get(attributes["w:id"] ?? ""));
    else if (name === "w:endnoteReference") this.#note(paragraph, this.notes.endnote.get(attributes["w:id"] ?? ""));
  }

  #note(paragraph: Paragraph, text = ""): void {
    if (text === "") return;
    const number = ++this.#notes;
    paragraph.parts.push(`[^${number}]`);
    paragraph.after.push({ text: `[^${number}]: ${text}` });
  }

  #openTable(): void {
    const isOpened = this.#builder.mayOpen;
    if (isOpened) this.#builder.openTable();
    this.#tables.push(isOpened);
  }

  #openTablePart(name: string, value: string): void {
    if (name === "w:tr") this.#builder.startRow();
    else if (name === "w:tc") this.#builder.openCell();
    else if (name === "w:gridSpan") this.#builder.mergeCell({ columns: Math.min(MAX_SPAN, Number(value) || 1) });
    else if (value !== "restart") this.#builder.mergeCell({ isContinued: true });
  }

  readonly close = (name: string): void => {
    this.#isText = false;
    if (SKIPPED.has(name)) this.#skipped--;
    else if (this.#skipped > 0) return;
    else if (name === "w:pPr") this.#properties = undefined;
    else if (name === "w:rPr" && this.#properties === "run") this.#properties = undefined;
    else if (name === "w:r") this.#isHiddenRun = false;
    else if (name === "w:p") this.#endParagraph();
    else if (name === "w:tbl") {
      if (this.#tables.pop()) this.#builder.close();
    } else if (name === "w:tr" && this.#tables.at(-1)) this.#builder.endRow();
    else if (name === "w:tc" && this.#tables.at(-1)) this.#builder.close();
  };

  readonly text = (text: string): void => {
    if (this.#isText && this.#skipped === 0 && !this.#isHiddenRun) this.#paragraphs.at(-1)?.parts.push(text);
  };

  #endParagraph(): void {
    const paragraph = this.#paragraphs.pop();
    if (!paragraph) return;
    const text = paragraph.parts.join("");
    if (paragraph.isJoined && paragraph.after.length === 0) {
      this.#carried = text;
      return;
    }
    const own = text.trim() === "" ? [] : [this.#blockOf(paragraph, text.trim())];
    const parent = this.#paragraphs.at(-1);
    const blocks = [...own, ...paragraph.after];
    const isInside = parent && parent.tables === paragraph.tables;
    for (const block of blocks) isInside ? parent.after.push(block) : this.#builder.add(block);
  }

  #blockOf({ style, level = style.level, list = style.list }: Paragraph, text: string): Block {
    const label = list && this.numbers.next(list.id === "" ? { ...list, id: style.list?.id ?? "" } : list);
    if (level && this.#tables.length === 0) {
      const number = label?.replace(/^- /, "") ?? "";
      return { text: headingLine(level, number + text) };
    }
    if (!label) return { text: escapeLineStarts(text) };
    const indent = "   ".repeat(Math.min(8, list?.depth ?? 0));
    return { text: `${indent}${label}${text.replaceAll("\n", `\n${indent}  `)}`, isItem: true };
  }

  finish(): Block[] {
    if (this.#carried !== "") this.#builder.text(this.#carried);
    return this.#builder.takeBlocks();
  }
}

const TABLE_PARTS = new Set(["w:tr", "w:tc", "w:gridSpan", "w:vMerge"]);
