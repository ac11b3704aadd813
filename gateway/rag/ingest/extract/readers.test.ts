import { describe, expect, test } from "bun:test";
import { AppError } from "../../../../lib/errors";
import { extractDocument } from "./extract";

const extract = (name: string, content: string | Uint8Array, mediaType?: string) =>
  extractDocument({
    name,
    bytes: typeof content === "string" ? new TextEncoder().encode(content) : content,
    mediaType,
  });

const textOf = async (name: string, content: string | Uint8Array) => (await extract(name, content)).text;

const utf16 = (text: string, isBig = false): Uint8Array => {
  const bytes = Buffer.from(text, "utf16le");
  return isBig ? bytes.swap16() : bytes;
};

describe("encodings", () => {
  test.each([
    ["UTF-8 with a byte order mark", Buffer.from("\ufeffPrice: £5 – “fine”"), "Price: £5 – “fine”"],
    ["UTF-16 with a byte order mark", utf16("\ufeffPrice: £5"), "Price: £5"],
    ["UTF-16 without a byte order mark", utf16("“Price”: £5 for each ticket"), "“Price”: £5 for each ticket"],
    [
      "big-endian UTF-16 without a byte order mark",
      utf16("Price: £5 for each ticket", true),
      "Price: £5 for each ticket",
    ],
    [
      "windows-1252",
      Buffer.from([0x93, 0x35, 0x80, 0x94, 0x20, 0x96, 0x20, 0x6f, 0x6b, 0x20, 0x6f, 0x6b, 0x20, 0x6f, 0x6b, 0x2e]),
      "“5€” – ok ok ok.",
    ],
    [
      "UTF-8 with some windows-1252",
      Buffer.concat([Buffer.from("Café costs £5, naïve: "), Buffer.from([0x80])]),
      "Café costs £5, naïve: €",
    ],
    ["NUL bytes at the end", Buffer.from("Opening hours\0\0\0"), "Opening hours"],
  ])("%s is decoded", async (_, bytes, text) => {
    expect(await textOf("a.txt", bytes)).toBe(text);
  });

  test("a page in the encoding that it declares is decoded", async () => {
    const bytes = Buffer.concat([
      Buffer.from('<html><meta charset="windows-1251"><p>'),
      Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]),
    ]);
    expect(await textOf("a.html", bytes)).toBe("Привет");
  });
});

test.each([
  ["line ends", "a\r\nb\rc\u2028d", "a\nb\nc\nd"],
  ["soft hyphens, even before a line end", "elec\u00adtric kilo\u00ad\r\ngrams", "electric kilograms"],
  ["zero-width characters", "neigh\u200bbours\u2060 \ufeffany\u200done", "neighbours anyone"],
  ["joiners of scripts and emoji, which stay", "می\u200cخواهم 🐕\u200d🦺", "می\u200cخواهم 🐕\u200d🦺"],
  ["decomposed letters", "cafe\u0301", "café"],
  ["ligatures", "e\ufb03cient \ufb02ow", "efficient flow"],
  ["no-break spaces", "5\u00a0kg\u202f(10\u2009%)", "5 kg (10 %)"],
  ["spaces at line ends and empty lines", "a  \n\n\n\nb\n\n", "a\n\nb"],
])("%s are cleaned", async (_, source, text) => {
  expect(await textOf("a.txt", source)).toBe(text);
});

describe("Markdown", () => {
  test.each([
    ["underlined headings", "Title\n=====\n\nPart\n---\n\ntext", "# Title\n\n## Part\n\ntext"],
    [
      "rules and tables, which are not headings",
      "a\n\n---\n\na | b\n--- | ---\n1 | 2",
      "a\n\n---\n\na | b\n--- | ---\n1 | 2",
    ],
    ["comments, even over several lines", "a <!-- x\n\ny --> b", "a  b"],
    ["scripts and styles", "a\n\n<script>alert(1)</script>\n\n<style>p{}</style>b", "a\n\nb"],
    [
      "comments in code, which stay",
      "```html\n<!-- kept -->\n```\n\n`<!-- kept -->`",
      "```html\n<!-- kept -->\n```\n\n`<!-- kept -->`",
    ],
    ["underlines in code, which stay", "~~~\na\n===\n~~~", "~~~\na\n===\n~~~"],
  ])("%s", async (_, source, text) => {
    expect(await textOf("a.md", source)).toBe(text);
  });

  test("the title comes from the front matter, otherwise from the first heading", async () => {
    expect((await extract("a.md", '---\ntitle: "After care"\n---\n\n# Other')).title).toBe("After care");
    expect((await extract("a.md", "text\n\n## First ##\n\n# Second")).title).toBe("First");
    expect((await extract("a.md", "# How `a@1` **scores** [more](b.md)")).title).toBe("How a@1 scores more");
    expect((await extract("a.md", "text")).title).toBeNull();
  });
});

describe("HTML", () => {
  test.each([
    [
      "scripts, styles, templates, comments and drawings are left out",
      "<p>a<script>s</script><style>s</style><template>t</template><!-- c --><svg><title>v</title><text>v</text></svg><noscript>n</noscript></p>",
      "a",
    ],
    [
      "hidden elements are left out",
      "<p>a</p><p hidden>h</p><div style='Display : none'>h</div><p aria-hidden=true>h</p><p style='opacity:0'>h</p><p style='opacity:0.5'>b</p>",
      "a\n\nb",
    ],
    [
      "elements that the page's style hides are left out",
      "<style>.gone, p.off { display: none } .big { font-size: 20px }</style><p class='x gone'>h</p><p class=off>h</p><p class=big>a</p>",
      "a",
    ],
    [
      "navigation around the text is left out",
      "<nav>n</nav><header><h1>Title</h1></header><div class='cookie-banner'>c</div><p>text</p><aside>r</aside><footer>f</footer>",
      "# Title\n\ntext",
    ],
    [
      "only the main part is read",
      "<div>around</div><main><h1>A</h1><p>Long enough text of the page</p></main><div>around</div>",
      "# A\n\nLong enough text of the page",
    ],
    ["headings keep their level", "<h1>A</h1><h2>B <b>c</b></h2><h3><button>D</button></h3>", "# A\n\n## B c\n\n### D"],
    [
      "lists are nested and numbered",
      "<ol start=3><li>a<ul><li>b</li><li>c</li></ul></li><li><p>d</p></li></ol>",
      "3. a\n\n   - b\n   - c\n4. d",
    ],
    [
      "a term stays with its description",
      "<dl><dt>Term</dt><dd>Meaning</dd><dt>Other</dt><dd><p>More</p></dd></dl>",
      "- Term: Meaning\n\nOther: More",
    ],
    [
      "tables become rows",
      "<table><caption>C</caption><tr><th>A<th>B<tr><td>1<td>x|y</table>",
      "C\n\n| A | B |\n| --- | --- |\n| 1 | x\\|y |",
    ],
    [
      "cells that span rows are repeated",
      "<table><tr><th>A<th>B<tr><td rowspan=2>1<td>x<tr><td>y</table>",
      "| A | B |\n| --- | --- |\n| 1 | x |\n| 1 | y |",
    ],
    [
      "a table that is only used for layout becomes paragraphs",
      "<table><tr><td>menu<td><h1>A</h1><p>text</p></table>",
      "menu\n\n# A\n\ntext",
    ],
    ["code keeps its lines", "<pre><code class='language-sh'># a\n  b &lt; c</code></pre>", "```sh\n# a\n  b < c\n```"],
    [
      "inline elements don't split words",
      "<p>vaccina&shy;tion <b>R</b>abi<i>vet</i> <code>LV<wbr>-22</code></p>",
      "vaccination Rabivet `LV-22`",
    ],
    ["text can't begin a heading or a code block", "<p># not a heading</p><p>```</p>", "\\# not a heading\n\n\\```"],
    ["unclosed elements are closed", "<ul><li>a<li>b</ul><p>c<p>d", "- a\n- b\n\nc\n\nd"],
    ["entities are decoded", "<p>8&nbsp;o&rsquo;clock &pound;5 &#39;x&#39; &amp;lt;</p>", "8 o’clock £5 'x' &lt;"],
  ])("%s", async (_, body, text) => {
    expect(
      await textOf("a.html", `<!doctype html><html><head><title>T</title></head><body>${body}</body></html>`),
    ).toBe(text);
  });

  test("the title is the page's `title` element", async () => {
    expect((await extract("a.html", "<html><title>My page</title><svg><title>logo</title></svg><p>a")).title).toBe(
      "My page",
    );
  });

  test("a page that is nested 10,000 levels deep is read", async () => {
    expect(await textOf("a.html", `<html>${"<div>".repeat(10_000)}door${"</div>".repeat(10_000)}`)).toBe("door");
  });
});

describe("CSV", () => {
  test("each question with its answer becomes a section", async () => {
    const { text, title } = await extract(
      "a.csv",
      '\ufeffQuestion;Answer;Area\r\n"Why; now?";"Two reasons:\n\n# a";Help\r\nWho?;Me;\r\n',
    );
    expect(text).toBe("## Why; now?\n\nTwo reasons:\n\n\\# a\n\nArea: Help\n\n## Who?\n\nMe");
    expect(title).toBeNull();
  });

  test.each([
    [
      "longer names",
      "Question ID,Customer question,Our answer\n7,Why?,Because.\n",
      "## Why?\n\nBecause.\n\nQuestion ID: 7",
    ],
    ["no names at all", "Why?,Because.\nWho?,Me.\n", "## Why?\n\nBecause.\n\n## Who?\n\nMe."],
  ])("questions and answers are found with %s", async (_, source, text) => {
    expect(await textOf("a.csv", source)).toBe(text);
  });

  test.each([
    ["other columns", "name,price\nPump,5\n", "| name | price |\n| --- | --- |\n| Pump | 5 |"],
    ["tabs", "name\tprice\nPump\t5", "| name | price |\n| --- | --- |\n| Pump | 5 |"],
    ["a declared delimiter", "sep=;\nname;price\nPump;5", "| name | price |\n| --- | --- |\n| Pump | 5 |"],
    ["rows of different lengths", "a,b\n1\n1,2,3", "| a | b |  |\n| --- | --- | --- |\n| 1 |  |  |\n| 1 | 2 | 3 |"],
    ["a quote that never closes", 'a,b\n"1,2\n3,4', '| a | b |\n| --- | --- |\n| "1 | 2 |\n| 3 | 4 |'],
    ["doubled quotes", 'a,b\n"say ""hi""",2', '| a | b |\n| --- | --- |\n| say "hi" | 2 |'],
  ])("%s become a table", async (_, source, text) => {
    expect(await textOf("a.csv", source)).toBe(text);
  });
});

describe("the format is recognised by content first", () => {
  test.each([
    ["a page named .txt", "a.txt", "<!DOCTYPE html><html><p>a", "text/html"],
    ["a page named .md with a comment first", "a.md", "<!-- x -->\n<html><p>a", "text/html"],
    ["text that mentions tags", "a.txt", "Use <html> at the beginning", "text/plain"],
    ["text that mentions the PDF mark", "a.txt", "Für Dateien mit %PDF-1.4 am Anfang", "text/plain"],
    ["Markdown by its name", "a.md", "a", "text/markdown"],
    ["CSV by its name", "a.CSV", "a,b\n1,2", "text/csv"],
  ])("%s", async (_, name, content, mediaType) => {
    expect((await extract(name, content)).mediaType).toBe(mediaType as never);
  });

  test("the sender's type decides without an extension", async () => {
    expect((await extract("notes", "a,b\n1,2", "text/csv; charset=utf-8")).mediaType).toBe("text/csv");
  });
});

test.each([
  ["an empty file", "a.txt", "", /empty/],
  ["a file of spaces", "a.txt", " \n\t ", /no text/],
  ["a page without text", "a.html", "<html><script>a</script></html>", /no text/],
  ["an image", "a.txt", "\x89PNG\r\n", /image.*OCR/],
  ["an RTF file", "a.doc", "{\\rtf1 a}", /RTF.*DOCX/],
  ["a truncated ZIP archive", "a.docx", "PK\x03\x04abc", /damaged/],
  ["a truncated PDF", "a.pdf", "%PDF-1.4\n1 0 obj", /damaged/],
  ["an executable", "a.txt", "\x7fELF\x02\x01\x01\0\0\0\x00abc", /binary/],
])("%s has a clear error", async (_, name, content, message) => {
  const error = await extract(name, Buffer.from(content, "latin1")).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AppError);
  expect((error as AppError).kind).toBe("invalid_request");
  expect((error as AppError).message).toMatch(message);
});

test.each([
  ["closing tags in a deep page", "a.html", `${"<b>".repeat(5000)}${"</i>".repeat(1_000_000)}`, /nested/],
  [
    "cells that span many columns and rows",
    "a.html",
    "<table>".concat("<tr><td colspan=100 rowspan=100>x".repeat(1000)),
    /cells/,
  ],
  ["a row of delimiters", "a.csv", ",".repeat(5000), /cells/],
  ["a text over the limit", "a.txt", "a ".repeat(5_000_001), /more than 10000000 characters/],
])("hostile input is rejected: %s", async (_, name, content, message) => {
  const error = await extract(name, content).catch((thrown: unknown) => thrown);
  expect((error as AppError).kind).toBe("invalid_request");
  expect((error as AppError).message).toMatch(message);
});
