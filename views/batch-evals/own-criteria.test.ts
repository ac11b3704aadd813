import { expect, test } from "bun:test";
import type { Criterion } from "../../gateway/evals/contract";
import { readOwnCriteria, writeOwnCriteria } from "./own-criteria";

const POLITE: Criterion = {
  ...{ name: "polite", description: "Is the answer polite?", scale: { min: 0, max: 1, step: 1 } },
  ...{ direction: "higher_is_better", threshold: 1, weight: 1 },
};
const DEPTH: Criterion = {
  ...POLITE,
  ...{ name: "depth", description: "How thorough: short, or long?", scale: { min: 1, max: 5, step: 1 }, threshold: 4 },
};

test.each<[string, Criterion]>([
  ["polite: Is the answer polite?", POLITE],
  [" Polite :Is the answer polite? ", POLITE],
  ["Is-Polite: Is the answer polite?", { ...POLITE, name: "is_polite" }],
  ["depth (1 to 5, 4 or more passes): How thorough: short, or long?", DEPTH],
  ["Depth(1  TO 5,  4 or More passes): How thorough: short, or long?", DEPTH],
  [
    "toxicity (0 to 0.5, 0.1 or less passes): How rude is it?",
    {
      ...{ ...POLITE, name: "toxicity", description: "How rude is it?", scale: { min: 0, max: 0.5, step: null } },
      ...{ direction: "lower_is_better", threshold: 0.1 },
    },
  ],
  [
    "words (0 to 9): How many names?",
    {
      ...{
        ...POLITE,
        name: "words",
        description: "How many names?",
        scale: { min: 0, max: 9, step: 1 },
        threshold: null,
      },
    },
  ],
  [JSON.stringify({ ...POLITE, weight: 3 }), { ...POLITE, weight: 3 }],
])("%s", (line, criterion) => {
  expect(readOwnCriteria(`\n${line}\r\n`)).toEqual([criterion]);
});

test.each([
  ["", []],
  ["polite", "Line 1: write a name, a colon and a question, such as “polite: Is the answer polite?”"],
  ["polite:", "Line 1: write a name, a colon and a question, such as “polite: Is the answer polite?”"],
  ["\na: b\n(1 to 5): How?", "Line 3: write a name, a colon and a question, such as “polite: Is the answer polite?”"],
  ["depth (1-5): How?", "Line 1: write the scale as “1 to 5, 4 or more passes”"],
  ["depth (): How?", "Line 1: write the scale as “1 to 5, 4 or more passes”"],
  ["höflich: Ja?", "Line 1: a name consists of letters, digits and underscores, and starts with a letter"],
  ['{"name":"polite"}', "Line 1: it is not a criterion in the API's format"],
  ["{polite", "Line 1: it is not a criterion in the API's format"],
])("%j is read as %j", (text, expected) => {
  expect(readOwnCriteria(text)).toEqual(typeof expected === "string" ? { problem: expected } : expected);
});

test("criteria are written as the shortest lines that are read as them", () => {
  const several = "Is it polite?\nAnd kind?";
  const written = writeOwnCriteria([POLITE, DEPTH, { ...POLITE, description: several }, { ...DEPTH, weight: 2 }]);
  expect(written.split("\n").map((line) => line.slice(0, 15))).toEqual([
    "polite: Is the ",
    "depth (1 to 5, ",
    '{"name":"polite',
    '{"name":"depth"',
  ]);
  expect(readOwnCriteria(written)).toEqual([
    POLITE,
    DEPTH,
    { ...POLITE, description: several },
    { ...DEPTH, weight: 2 },
  ]);
});
