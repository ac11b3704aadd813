import { describe, expect, test } from "bun:test";
import { AppError } from "../../../../../lib/errors";
import { extractDocument } from "../extract";
import { pdfOf, type ShownText, unembeddedPdf } from "../test-files";

/** Lines from top to bottom, `size` points high. */
const lines = (x: number, y: number, texts: readonly string[], size = 10): ShownText[] =>
  texts.map((text, i) => ({ x, y: y - i * size * 1.2, text, size }));

const extract = (pages: readonly (readonly ShownText[])[], options?: Parameters<typeof pdfOf>[1]) =>
  extractDocument({ name: "a.pdf", bytes: pdfOf(pages, options) });

const LEFT = [
  "The old mill by the river was",
  "built of oak and stone. It has",
  "turned without a pause since",
  "the spring of that dry year.",
];
const RIGHT = [
  "Its miller keeps two geese and",
  "a cat with one white ear. The",
  "geese guard the yard at night",
  "and the cat sleeps all day.",
];

describe("reading order", () => {
  test("columns are read one after the other, even if they are written line by line", async () => {
    const rows = LEFT.flatMap((text, i) => [
      { x: 50, y: 700 - i * 12, text },
      { x: 220, y: 700 - i * 12, text: RIGHT[i] ?? "" },
    ]);
    const { text } = await extract([
      [{ x: 50, y: 740, text: "A title that goes over both columns", size: 18 }, ...rows],
    ]);
    expect(text).toBe(`# A title that goes over both columns\n\n${LEFT.join(" ")}\n\n${RIGHT.join(" ")}`);
  });

  test("a sentence continues in the next column", async () => {
    const { text } = await extract([
      [
        ...lines(50, 700, LEFT.slice(0, 3)),
        ...lines(220, 700, [
          "the spring of that dry year, as",
          "far as anyone in the village",
          "can remember it today.",
        ]),
      ],
    ]);
    expect(text).toBe(
      `${LEFT.slice(0, 3).join(" ")} the spring of that dry year, as far as anyone in the village can remember it today.`,
    );
  });

  test("a table is read row by row", async () => {
    const row = (y: number, ...cells: string[]) => cells.map((text, i) => ({ x: 50 + i * 150, y, text }));
    const { text } = await extract([
      [...row(700, "Part", "Price", "Stock"), ...row(686, "TP-1", "4.00", ""), ...row(672, "TP-2", "5.50", "3")].filter(
        ({ text }) => text !== "",
      ),
    ]);
    expect(text).toBe("| Part | Price | Stock |\n| --- | --- | --- |\n| TP-1 | 4.00 |  |\n| TP-2 | 5.50 | 3 |");
  });

  test("cells with several lines belong to one row", async () => {
    const rows = [0, 1, 2].flatMap((i) => [
      { x: 50, y: 650 - i * 40, text: `E${i}` },
      ...lines(150, 650 - i * 40, [`The sensor ${i} reports a value`, "that is out of its range"]),
      ...lines(350, 650 - i * 40, [`Clean the sensor ${i} with a`, "soft brush and calibrate it"]),
    ]);
    const { text } = await extract([
      [
        { x: 50, y: 690, text: "Fault" },
        { x: 150, y: 690, text: "Cause" },
        { x: 350, y: 690, text: "Remedy" },
        ...rows,
      ],
    ]);
    expect(text).toContain(
      "| E1 | The sensor 1 reports a value that is out of its range | Clean the sensor 1 with a soft brush and calibrate it |",
    );
  });

  test("a turned page is read like the others, and turned text in the margin is kept", async () => {
    const turned = (x: number, text: string): ShownText => ({ x, y: 60, text, isTurned: true });
    expect((await extract([[turned(100, "First line."), turned(112, "Second line.")]], { rotate: 90 })).text).toBe(
      "First line. Second line.",
    );
    expect(
      (await extract([[{ x: 50, y: 700, text: "The main text of this page." }, turned(20, "In the margin.")]])).text,
    ).toBe("The main text of this page.\n\nIn the margin.");
  });
});

describe("words and sentences", () => {
  test.each([
    ["a word that is split at a line end is joined", ["We there-", "fore saw it."], "We therefore saw it."],
    [
      "a compound that occurs elsewhere keeps its hyphen",
      ["A twenty-three is here. Then twenty-", "three again."],
      "A twenty-three is here. Then twenty-three again.",
    ],
    [
      "a number or name keeps its hyphen",
      ["Order the part SK-", "40 from Baden-", "Baden."],
      "Order the part SK-40 from Baden-Baden.",
    ],
    ["bullets at line starts become list items", ["\x95 one", "\x95 two"], "- one\n- two"],
  ])("%s", async (_, texts, text) => {
    expect((await extract([lines(50, 700, texts)])).text).toBe(text);
  });

  test("a raised number becomes a footnote marker, and its note a paragraph", async () => {
    const { text } = await extract([
      [
        { x: 50, y: 700, text: "The network is very long." },
        { x: 167, y: 704, text: "1", size: 6 },
        { x: 174, y: 700, text: "It loses water." },
        { x: 50, y: 60, text: "1 As measured in June.", size: 8 },
      ],
    ]);
    expect(text).toBe("The network is very long.[^1] It loses water.\n\n[^1]: As measured in June.");
  });

  test("text in a monospaced font is code with its indentation", async () => {
    const code = (y: number, x: number, text: string): ShownText => ({ x, y, text, font: "Courier" });
    const { text } = await extract([
      [
        { x: 50, y: 740, text: "Run this script every night on the server:" },
        code(720, 50, "if true; then"),
        code(708, 62, "run one"),
        code(684, 50, "fi"),
      ],
    ]);
    expect(text).toBe("Run this script every night on the server:\n\n```\nif true; then\n  run one\nfi\n```");
  });

  test("headings are larger or bold, and nest by size", async () => {
    const { text } = await extract([
      [
        { x: 50, y: 740, text: "Manual", size: 20 },
        { x: 50, y: 700, text: "1 Use", size: 14 },
        ...lines(50, 680, ["Some text that is long enough to count", "as the body of this document."]),
        { x: 50, y: 640, text: "Details", font: "Helvetica-Bold" },
        { x: 50, y: 625, text: "More of the text of the body, again long enough." },
      ],
    ]);
    expect(text).toBe(
      "# Manual\n\n## 1 Use\n\nSome text that is long enough to count as the body of this document.\n\n### Details\n\nMore of the text of the body, again long enough.",
    );
  });
});

describe("pages", () => {
  const page = (number: number, texts: readonly string[]): ShownText[] => [
    { x: 50, y: 780, text: "Operator manual" },
    ...lines(50, 700, texts),
    { x: 50, y: 30, text: `Page ${number} of 3` },
  ];

  test("headers and footers are left out, and a sentence continues on the next page", async () => {
    const { text, pages } = await extract([
      page(1, ["The ice that forms around the housing can"]),
      page(2, ["crack the glass. Keep it dry."]),
      page(3, ["The end."]),
    ]);
    expect(text).toBe("The ice that forms around the housing can crack the glass. Keep it dry.\n\nThe end.");
    expect(pages.map((start) => text.slice(start, start + 5))).toEqual(["The i", "crack", "The e"]);
  });

  test("pages without text have the offset of the next one", async () => {
    const { pages } = await extract([[], lines(50, 700, ["First."]), [], lines(50, 700, ["Second."]), []]);
    expect(pages).toEqual([0, 0, 8, 8, 15]);
  });

  test("a table continues on the next page without its repeated header", async () => {
    const rows = (from: number) => [
      ["Part", "Price", "Stock"],
      [`TP-${from}`, "4.00", "3"],
      [`TP-${from + 1}`, "5.00", "4"],
    ];
    const table = (from: number) =>
      rows(from).flatMap((cells, i) =>
        cells.map((text, c) => ({ x: 50 + c * 150, y: 700 - from * 10 - i * 14, text })),
      );
    const { text, pages } = await extract([table(1), table(3)]);
    expect(text.split("\n").length).toBe(6);
    expect(text.slice(pages[1])).toStartWith("| TP-3 | 4.00 | 3 |");
  });

  test("a table of contents becomes a list, and the chapters are not placed under its heading", async () => {
    const { text } = await extract([
      [
        { x: 50, y: 740, text: "Contents", size: 20 },
        ...lines(50, 700, ["1 Use .............. 4", "2 Care ............. 9"]),
        { x: 50, y: 600, text: "1 Use", size: 14 },
        { x: 50, y: 580, text: "Long enough text of the body." },
      ],
    ]);
    expect(text).toBe("Contents\n\n- 1 Use … 4\n- 2 Care … 9\n\n# 1 Use\n\nLong enough text of the body.");
  });
});

test("the title comes from the file's properties, unless it is a program's default", async () => {
  const page = [
    { x: 50, y: 740, text: "Heading", size: 20 },
    { x: 50, y: 700, text: "Long enough text of the body." },
  ];
  expect((await extract([page], { title: "Pump news" })).title).toBe("Pump news");
  expect((await extract([page], { title: "untitled" })).title).toBe("Heading");
});

test("a PDF is recognised if it is named .txt or has other bytes before it", async () => {
  const bytes = pdfOf([lines(50, 700, ["The weir is opened by hand."])]);
  expect((await extractDocument({ name: "a.txt", bytes })).text).toBe("The weir is opened by hand.");
});

test("the error for a PDF without text recommends OCR", async () => {
  const error = await extract([[], []]).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AppError);
  expect((error as AppError).message).toMatch(/text layer.*OCR/);
});

test.each([
  ["UniGB-UCS2-H", "GB1", "4e2d6587"],
  ["GBK-EUC-H", "GB1", "d6d0cec4"],
  ["ETen-B5-H", "CNS1", "a4a4a4e5"],
  ["90ms-RKSJ-H", "Japan1", "93fa967b"],
  ["KSCms-UHC-H", "Korea1", "c7d1b1db"],
  ["Identity-H", "GB1", "0e3f0e40"],
])(
  "a PDF with text in %s of a font that it doesn't contain is refused, not stored without that text",
  async (encoding, ordering, codes) => {
    const bytes = unembeddedPdf(encoding, ordering, codes);
    const error = await extractDocument({ name: "a.pdf", bytes }).catch((thrown) => thrown);
    expect(error).toMatchObject({ kind: "invalid_request", message: expect.stringMatching(/embedded fonts.*OCR/) });
  },
);
