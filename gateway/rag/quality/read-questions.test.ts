import { expect, test } from "bun:test";
import { defaultConfig } from "../../../lib/settings";
import { readQuestions } from "./read-questions";

const read = (text: string) => readQuestions(text, defaultConfig().datasets);
const TWO = {
  questions: [
    { question: "How many days, or weeks?", relevant: ["leave.pdf", "rules.docx"] },
    { question: "Who won?", relevant: [] },
  ],
};

test.each([
  ["CSV", 'question,document\n"How many days, or weeks?",leave.pdf; rules.docx\nWho won?,\n', [2, 3]],
  [
    "a spreadsheet's CSV",
    'sep=;\r\nQuery;Files\r\nHow many days, or weeks?;"leave.pdf;rules.docx"\r\nWho won?;\r\n',
    [3, 4],
  ],
  [
    "JSON Lines with other columns",
    '{"id":1,"query":"How many days, or weeks?","relevant":["leave.pdf","rules.docx"]}\n\n{"query":"Who won?","relevant":null}',
    [1, 3],
  ],
  [
    "JSON",
    '[{"question":"How many days, or weeks?","files":["leave.pdf","rules.docx"]},\n{"question":"Who won?","files":[]}]',
    [1, 2],
  ],
])("%s is read, with the line of each question", async (_, text, lines) => {
  expect(await read(text)).toEqual({ ...TWO, lines });
});

test("a file name with a semicolon stays whole in JSON", async () => {
  const found = await read('{"question":"When?","document":"a;b.md"}');
  expect(found).toMatchObject({ questions: [{ relevant: ["a;b.md"] }] });
});

test.each([
  ["question,document\n,a.md", "Line 2: the question is empty. Enter one."],
  ["ask,document\nWhen?,a.md", "Line 2: the column “question” is missing. Name one column “question”."],
  [
    "question,answer\nWhen?,At 6",
    "Line 2: the column “document” is missing. Leave it blank if no document answers the question.",
  ],
  ['{"question":"When?","document":7}', "Line 1: “document” must contain file names or ids of documents."],
  ['{"question":7,"document":"a.md"}', "Line 1: the question is empty. Enter one."],
  ["question,document\nWhen?", "Line 2: the row has 1 cell, but the header has 2. Add the missing cells."],
])("%j is refused with its line", async (text, problem) => {
  expect(await read(text)).toEqual({ problems: [problem] });
});

test("every line that can't be used is reported", async () => {
  const found = await read('{"question":"","document":[]}\n{"question":"When?","document":[]}\n{"question":"Who?"');
  expect(found).toMatchObject({ problems: [expect.stringContaining("Line 1"), expect.stringContaining("Line 3")] });
});
