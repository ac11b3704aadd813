import { expect, test } from "bun:test";
import { alignColumns, markdownTable } from "./table";

const ROWS = [
  ["name", "n"],
  ["a", "1,000"],
  ["longer|name", ""],
];

test("the columns of plain text are aligned, and no line ends in spaces", () => {
  expect(alignColumns(ROWS)).toEqual(["name         n", "a            1,000", "longer|name"]);
  expect(alignColumns([])).toEqual([]);
});

test("a Markdown table is aligned too, and a bar inside a cell does not split the cell", () => {
  expect(markdownTable(ROWS)).toEqual([
    "| name         | n     |",
    "| ------------ | ----- |",
    "| a            | 1,000 |",
    "| longer\\|name |       |",
  ]);
});

test.each([
  ["a \\| b", "a \\\\\\| b"],
  ["</details><img src=x>", "\\</details>\\<img src=x>"],
])("%s stays text in a Markdown table", (cell, escaped) => {
  expect(markdownTable([["text"], [cell]])[2]).toBe(`| ${escaped} |`);
});
