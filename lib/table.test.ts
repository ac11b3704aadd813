import { expect, test } from "bun:test";
import { alignColumns, markdownTable } from "./table";

const ROWS = [
  ["name", "n"],
  ["a", "1,000"],
  ["longer|name", ""],
];

test("columns of a text start below each other, and no line ends in spaces", () => {
  expect(alignColumns(ROWS)).toEqual(["name         n", "a            1,000", "longer|name"]);
  expect(alignColumns([])).toEqual([]);
});

test("a table in Markdown is aligned too, and a bar inside a cell divides nothing", () => {
  expect(markdownTable(ROWS)).toEqual([
    "| name         | n     |",
    "| ------------ | ----- |",
    "| a            | 1,000 |",
    "| longer\\|name |       |",
  ]);
});
