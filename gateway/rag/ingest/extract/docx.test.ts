import { expect, test } from "bun:test";
import { AppError } from "../../../../lib/errors";
import { extractDocument } from "./extract";
import { packed, zipOf } from "./test-files";

const document = (body: string) => `<w:document><w:body>${body}</w:body></w:document>`;

const extract = (body: string, parts: Record<string, string> = {}) => {
  const files = { "word/document.xml": document(body), ...parts };
  return extractDocument({
    name: "a.docx",
    bytes: zipOf(Object.entries(files).map(([name, text]) => packed(name, text))),
  });
};

const paragraph = (text: string, properties = "") =>
  `<w:p><w:pPr>${properties}</w:pPr><w:r><w:t>${text}</w:t></w:r></w:p>`;
const cell = (text: string, properties = "") =>
  `<w:tc><w:tcPr>${properties}</w:tcPr>${text === "" ? "<w:p/>" : paragraph(text)}</w:tc>`;
const table = (...rows: string[]) => `<w:tbl>${rows.map((row) => `<w:tr>${row}</w:tr>`).join("")}</w:tbl>`;
const item = (text: string, depth: number, list = 1) =>
  paragraph(text, `<w:numPr><w:ilvl w:val="${depth}"/><w:numId w:val="${list}"/></w:numPr>`);

const STYLES = `<w:styles>
  <w:style w:styleId="H1"><w:name w:val="heading 1"/></w:style>
  <w:style w:styleId="Own"><w:name w:val="Own"/><w:basedOn w:val="H1"/></w:style>
  <w:style w:styleId="Sub"><w:name w:val="Sub"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style></w:styles>`;
const level = (depth: number, format: string, pattern: string) =>
  `<w:lvl w:ilvl="${depth}"><w:start w:val="1"/><w:numFmt w:val="${format}"/><w:lvlText w:val="${pattern}"/></w:lvl>`;
const NUMBERING = `<w:numbering>
  <w:abstractNum w:abstractNumId="5">${level(0, "decimal", "%1.")}${level(1, "decimal", "%1.%2")}${level(2, "lowerRoman", "(%3)")}</w:abstractNum>
  <w:abstractNum w:abstractNumId="6">${level(0, "bullet", "·")}</w:abstractNum>
  <w:num w:numId="1"><w:abstractNumId w:val="5"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="6"/></w:num></w:numbering>`;

test.each([
  [
    "headings follow the styles, including inherited ones",
    `${paragraph("A", '<w:pStyle w:val="Own"/>')}${paragraph("B", '<w:pStyle w:val="Sub"/>')}${paragraph("c")}`,
    "# A\n\n## B\n\nc",
  ],
  [
    "deleted and moved text is left out, and inserted text is kept",
    "<w:p><w:r><w:t>for </w:t></w:r><w:del><w:r><w:delText>twelve</w:delText></w:r></w:del><w:ins><w:r><w:t>eighteen</w:t></w:r></w:ins><w:moveFrom><w:r><w:t> x</w:t></w:r></w:moveFrom></w:p>",
    "for eighteen",
  ],
  [
    "a paragraph whose end is deleted continues in the next one",
    `<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr><w:r><w:t>one </w:t></w:r></w:p>${paragraph("two")}`,
    "one two",
  ],
  [
    "hidden text is left out",
    "<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>h</w:t></w:r><w:r><w:rPr><w:vanish w:val='0'/></w:rPr><w:t>a</w:t></w:r></w:p>",
    "a",
  ],
  [
    "a text box is read once",
    `<w:p><w:r><w:t>a</w:t><mc:AlternateContent><mc:Choice><w:txbxContent>${paragraph("box")}</w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent>${paragraph("box")}</w:txbxContent></mc:Fallback></mc:AlternateContent></w:r></w:p>`,
    "a\n\nbox",
  ],
  [
    "list numbers are the ones that Word shows",
    `${item("a", 0)}${item("b", 1)}${item("c", 2)}${item("d", 1)}${paragraph("text")}${item("e", 0)}${item("f", 1)}`,
    "1. a\n   - 1.1 b\n      - (i) c\n   - 1.2 d\n\ntext\n\n2. e\n   - 2.1 f",
  ],
  ["bullets", `${item("a", 0, 2)}${item("b", 0, 2)}`, "- a\n- b"],
  [
    "a numbered heading has its number",
    paragraph("A", '<w:pStyle w:val="H1"/><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'),
    "# 1. A",
  ],
  [
    "cells that span columns and rows keep the table's shape",
    table(
      cell("A") + cell("B"),
      cell("1", '<w:vMerge w:val="restart"/>') + cell("x"),
      cell("", "<w:vMerge/>") + cell("y"),
      cell("all", '<w:gridSpan w:val="2"/>'),
    ),
    "| A | B |\n| --- | --- |\n| 1 | x |\n| 1 | y |\n| all |  |",
  ],
  [
    "tabs and line breaks are kept",
    "<w:p><w:pPr><w:tabs><w:tab w:val='left'/></w:tabs></w:pPr><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:noBreakHyphen/><w:t>d</w:t></w:r></w:p>",
    "a b\nc-d",
  ],
])("%s", async (_, body, text) => {
  const parts = { "word/styles.xml": STYLES, "word/numbering.xml": NUMBERING };
  expect((await extract(body, parts)).text).toBe(text);
});

test("footnotes follow the paragraph that refers to them", async () => {
  const body = `<w:p><w:r><w:t>Six months</w:t></w:r><w:r><w:footnoteReference w:id="7"/></w:r></w:p>${paragraph("next")}`;
  const notes = `<w:footnotes><w:footnote w:id="0"><w:p/></w:footnote><w:footnote w:id="7">${paragraph(" Two weeks.")}</w:footnote></w:footnotes>`;
  expect((await extract(body, { "word/footnotes.xml": notes })).text).toBe(
    "Six months[^1]\n\n[^1]: Two weeks.\n\nnext",
  );
});

test("the title comes from the file's properties, unless it is a program's default", async () => {
  const core = (title: string) => ({
    "docProps/core.xml": `<x><dc:title>${title}</dc:title></x>`,
    "word/styles.xml": STYLES,
  });
  const body = paragraph("Heading", '<w:pStyle w:val="H1"/>');
  expect((await extract(body, core("Rules &amp; fees"))).title).toBe("Rules & fees");
  expect((await extract(body, core("Word Document"))).title).toBe("Heading");
});

test("the main part is found through the package's relationships", async () => {
  const files = [
    packed("_rels/.rels", '<x><r Type="a/officeDocument" Target="/word/other.xml"/></x>'),
    packed("word/other.xml", document(paragraph("a"))),
  ];
  expect((await extractDocument({ name: "a.docx", bytes: zipOf(files) })).text).toBe("a");
});

test.each([
  ["an archive without a document", zipOf([packed("readme.txt", "a")]), /Word document/],
  [
    "a workbook",
    zipOf([
      packed("_rels/.rels", '<x><r Type="a/officeDocument" Target="xl/workbook.xml"/></x>'),
      packed("xl/workbook.xml", "<a/>"),
    ]),
    /Word document/,
  ],
  [
    "a part that unpacks to more than its declared size",
    zipOf([{ ...packed("word/document.xml", `<w:document>${" ".repeat(70_000_000)}`), size: 10 }]),
    /more than 64 MB/,
  ],
  [
    "a part with broken data",
    zipOf([{ name: "word/document.xml", size: 10, packed: Buffer.from([255, 255, 255]) }]),
    /damaged/,
  ],
  ["elements that are nested too deeply", zipOf([packed("word/document.xml", "<w:p>".repeat(10_000))]), /nested/],
])("%s has a clear error", async (_, bytes, message) => {
  const error = await extractDocument({ name: "a.docx", bytes }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AppError);
  expect((error as AppError).message).toMatch(message);
});
