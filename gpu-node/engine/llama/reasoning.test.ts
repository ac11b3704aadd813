import { expect, test } from "bun:test";
import fc from "fast-check";
import { ReasoningSplitter, startsReasoning, withoutReasoning, writesReasoning } from "./reasoning";

const split = (pieces: string[], hasStarted = false) => {
  const splitter = new ReasoningSplitter(hasStarted);
  const given = [...pieces.map((piece) => splitter.push(piece)), splitter.flush()];
  return {
    reasoning: given.map(({ reasoning }) => reasoning).join(""),
    text: given.map(({ text }) => text).join(""),
  };
};

type Row = [what: string, answer: string, hasStarted: boolean, reasoning: string, text: string];
const ROWS: Row[] = [
  ["only text", "Sunny.\n", false, "", "Sunny.\n"],
  ["reasoning and text", "<think>\nRome is\n\nwarm.\n</think>\n\nSunny.", false, "Rome is\n\nwarm.", "Sunny."],
  ["reasoning that the prompt starts", "\nHm.\n</think>\nSunny.", true, "Hm.", "Sunny."],
  ["empty reasoning", "<think>\n\n</think>\n\nSunny.", false, "", "Sunny."],
  ["reasoning that is cut", "<think>Rome is <b>warm</b> </thi", false, "Rome is <b>warm</b> </thi", ""],
  ["a tag inside the text", "Use <think>x</think>.", false, "", "Use <think>x</think>."],
  ["text after a second reasoning", "<think>a</think>b<think>c</think>", false, "a", "b<think>c</think>"],
  ["a tag that is cut", " <thin", false, "", " <thin"],
  ["nothing", "", false, "", ""],
];

test.each(ROWS)("%s", (_, answer, hasStarted, reasoning, text) => {
  expect(split([answer], hasStarted)).toEqual({ reasoning, text });
});

test("the result doesn't depend on where the answer is split", () => {
  const part = fc.constantFrom("<think>", "</think>", "<", "</", "think", ">", "\n", " ", "a", "👩‍🚀");
  const answers = fc.oneof(
    fc.array(part, { maxLength: 12 }).map((parts) => parts.join("")),
    fc.constantFrom(...ROWS.map(([, answer]) => answer)),
  );
  fc.assert(
    fc.property(answers, fc.boolean(), (answer, hasStarted) => {
      expect(split([...answer], hasStarted)).toEqual(split([answer], hasStarted));
    }),
    { numRuns: 1000 },
  );
});

test("S4: reasoning with many line breaks is read in linear time", () => {
  const splitter = new ReasoningSplitter(false);
  splitter.push(`<think>a${"\n".repeat(40_000)}`);
  const startedAt = performance.now();
  expect(splitter.push("b").reasoning).toHaveLength(40_001);
  expect(performance.now() - startedAt).toBeLessThan(1000);
});

test("reasoning and text are passed on as they arrive", () => {
  const splitter = new ReasoningSplitter(false);
  const states = ["<think>", "Rome", " is", "</", "think>", "\n\n", "Sunny"].map((piece) => {
    const { reasoning, text } = splitter.push(piece);
    return [reasoning, text, splitter.isReasoning];
  });
  expect(states).toEqual([
    ["", "", true],
    ["Rome", "", true],
    [" is", "", true],
    ["", "", true],
    ["", "", false],
    ["", "", false],
    ["", "Sunny", false],
  ]);
});

test("templates and prompts show whether a model reasons", () => {
  expect([writesReasoning("{{ content.split('</think>') }}"), writesReasoning("{{ content }}")]).toEqual([true, false]);
  expect(withoutReasoning("<|assistant|><think>\n")).toBe("<|assistant|><think>\n</think>\n\n");
  expect(withoutReasoning("<|assistant|>\n")).toBe("<|assistant|>\n");
  expect([startsReasoning("<|assistant|><think>\n"), startsReasoning("<|assistant|>\n")]).toEqual([true, false]);
});
