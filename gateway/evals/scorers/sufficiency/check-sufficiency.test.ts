import { describe, expect, test } from "bun:test";
import { checkSufficiency, compareWithPassages } from "./check-sufficiency";

const TEXT =
  "James Hutton is often seen as the first modern geologist. In 1785 he read a paper to the Royal Society. It does not mention fossils.";
const compare = (question: string, text = TEXT) =>
  compareWithPassages({ question, passages: [{ title: "Geology", text }], cosine: 0.5 });

describe("what passages lack", () => {
  test.each([
    ["When did James Hutton read a paper to the Royal Society?", []],
    ["When did Charles Hutton read a paper?", ['"Charles"']],
    ["How many papers did James Hutton read to the Royal Academy?", ['"Academy"']],
    ["When was James Hutton seen as a geologist?", ["a date"]],
    ["Why is James Hutton the first modern geologist?", []],
  ])("%s", (question, missing) => {
    expect(compare(question).missing).toEqual(missing);
  });

  test.each([
    ["Can I read a paper when I'm or I’ve been in the society?", []],
    ["We like fossils. Explain a paper to me. Thanks.", []],
    ["How Do I Read a Paper to My Society?", []],
    ["WHICH PAPER DO GEOLOGISTS READ?", []],
    ["Is The first one, or What, mentioned in A paper?", []],
    ["Is Mr. Hutton or Dr. Lyell a geologist?", ['"Lyell"']],
    ["Does the US mention fossils?", ['"US"']],
    ["How Does NATO Read a Paper?", ['"NATO"']],
    ["James Hutton Charles Lyell", ['"Charles"', '"Lyell"']],
    ["1786? Is it mentioned?", ['"1786"']],
  ])("a capital letter alone does not make a name: %s", (question, missing) => {
    expect(compare(question).missing).toEqual(missing);
  });

  test("a number in the question is not an answer to it", () => {
    expect(compare("What number follows 1785 in the paper to the Royal Society?").features.answerType).toBe(0);
  });

  test("a negation that the closest sentences lack", () => {
    expect(compare("What does the paper not mention?").features.negation).toBe(0);
    expect(compare("Who is never seen as a geologist?", "James Hutton is seen as one.").features.negation).toBe(1);
  });

  test("passages without text and a question without words", () => {
    expect(compare("?", "").features).toEqual({ cosine: 0.5, names: 1, answerType: 1, negation: 0 });
  });
});

describe("a warning", () => {
  const check = (question: string, cosine: number) =>
    checkSufficiency({ question, passages: [{ title: "Geology", text: TEXT }], cosine });

  test("is not given for a close passage with all names and a date", () => {
    expect(check("When did James Hutton read a paper to the Royal Society?", 0.7)).toBeNull();
  });

  test("says what is missing", () => {
    expect(check("When was Charles Lyell born?", 0.45)).toBe(
      'The documents may not answer this question: the closest passage lacks "Charles", "Lyell", a date.',
    );
  });

  test("is given for passages that are only about the topic", () => {
    expect(check("Why do rocks melt?", 0.2)).toContain("no passage is close to what it asks");
  });
});
