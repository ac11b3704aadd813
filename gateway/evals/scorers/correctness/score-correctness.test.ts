import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { CorrectnessFeature } from "./correctness-features";
import { CORRECTNESS_MODEL } from "./correctness-model";
import { scoreCorrectness } from "./score-correctness";

const answerTo = (question: string | null, references: string[], output: string) => ({
  question,
  references,
  contexts: [],
  output,
});
const score = (question: string | null, references: string[], output: string) =>
  scoreCorrectness(answerTo(question, references, output));
const passes = (name: string, question: string, references: string[], outputs: string[]) =>
  test.each(outputs)(`${name}: %s`, (output) => {
    expect(score(question, references, output).value).toBeGreaterThanOrEqual(0.5);
  });
const fails = (name: string, question: string, references: string[], outputs: string[]) =>
  test.each(outputs)(`${name}: %s`, (output) => {
    expect(score(question, references, output).value).toBeLessThan(0.5);
  });

describe("the same answer in another form passes", () => {
  passes(
    "case, articles, punctuation, diacritics",
    "who sang halo",
    ["Beyoncé"],
    ["beyonce", "It was BEYONCÉ.", "“Beyoncé”!"],
  );
  passes("any of the references", "where was it built", ["Paris", "France"], ["It was built in France.", "Paris"]);
  passes("initials", "who won", ["P. V. Sindhu"], ["PV Sindhu", "P.V. Sindhu of India won."]);
  passes("inflection", "what were they called", ["emperors"], ["an emperor.", "They were called emperors."]);
  passes("lost spaces", "who sang it", ["Jordan Fisher"], ["It was sung byJordan FisherandLin-Manuel Miranda."]);
  passes("a middle name", "who invented it", ["Thomas Edison"], ["Thomas Alva Edison"]);
  passes(
    "a spelling mistake",
    "who performed it",
    ["Dr. Jesse Bennett"],
    ["It was performed by Jesse Bennet in 1794."],
  );
  passes("a country and its people", "with whom was it shared", ["British"], ["It was shared with Great Britain."]);
  passes(
    "an acronym",
    "which agency did it",
    ["National Aeronautics and Space Administration"],
    ["NASA", "It was NASA."],
  );
  passes(
    "a name for its acronym",
    "which agency landed there",
    ["NASA"],
    ["The National Aeronautics and Space Administration landed there."],
  );
  passes("a reference without its note in brackets", "which colour", ["Blue (colour)"], ["It is blue."]);
  passes("numerals", "who was king", ["Henry VIII"], ["Henry the Eighth", "King Henry 8"]);
  passes("other scripts", "東京は何の首都ですか", ["日本"], ["東京は日本の首都です。"]);
});

describe("numbers and dates are compared by value", () => {
  passes(
    "words and separators",
    "how many",
    ["1,500"],
    ["There are 1500.", "one thousand five hundred", "1.5 thousand"],
  );
  passes(
    "units are converted, and rounded",
    "how tall is it",
    ["8,849 m"],
    ["8849 metres", "It is 8.849 km tall.", "about 8.85 km"],
  );
  passes("percent", "which share", ["71%"], ["About 71 percent."]);
  passes(
    "a more precise date",
    "when was it",
    ["September 1972"],
    ["It was on September 14, 1972.", "14 September 1972"],
  );
  passes(
    "date formats",
    "when was it",
    ["March 2, 2016"],
    ["2 March 2016", "2016-03-02", "It came onMarch 2, 2016by post."],
  );
  fails("another number", "how many", ["11"], ["There are 12 of them.", "twelve", "110"]);
  fails("another unit", "how far is it", ["5 km"], ["It is 5 miles away."]);
  fails(
    "another year in a similar sentence",
    "when did the ship sink",
    ["The ship sank in 1912."],
    ["The ship sank in 1914."],
  );
  fails("another day", "when was it", ["April 15, 1912"], ["It was on April 14, 1912.", "15 May 1912"]);
  fails(
    "an answer that a more precise reference contradicts",
    "when was it",
    ["1945", "17 August 1945"],
    ["It was on 15 August 1945."],
  );
  fails(
    "another number in a sentence",
    "what is the window",
    ["Items can be returned within 30 days of delivery."],
    ["Items can be returned within 90 days of delivery."],
  );
});

describe("naming a reference is not enough", () => {
  const question = "what is the capital of Australia";
  fails(
    "denied",
    question,
    ["Canberra"],
    [
      "It is not Canberra.",
      "The capital of Australia is Sydney, not Canberra.",
      "Canberra is not the capital; Sydney is.",
      "Sydney instead of Canberra.",
    ],
  );
  passes(
    "something else is denied",
    question,
    ["Canberra"],
    ["The capital is Canberra, not Sydney.", "It is not only a city: Canberra is the capital."],
  );
  fails(
    "the opposite of a statement",
    "can items be returned",
    ["Customers can return items within 30 days of delivery."],
    ["Customers cannot return items within 30 days of delivery."],
  );
  fails("yes for no", "is it flat", ["no"], ["Yes, it is flat.", "True."]);
  passes("no in other words", "is it flat", ["no"], ["No.", "It is not flat."]);
  fails("part of a different name", "who painted it", ["Leonardo da Vinci"], ["Leonardo DiCaprio", "Michelangelo"]);
  fails(
    "refusals",
    "who wrote it",
    ["Herman Melville"],
    [
      "I don't know.",
      "As an AI language model, I do not have information about who wrote it.",
      "I'm sorry, but I couldn't find any information.",
    ],
  );
  passes("a part of a name", "who wrote it", ["Herman Melville"], ["Melville"]);
});

describe("scores", () => {
  test.each(["", "   "])("an empty answer is 0 with the reason: %j", (output) => {
    expect(score("who", ["Herman Melville"], output)).toEqual({ value: 0, reason: "The answer is empty." });
  });

  test.each(["…!", "\ud800", "😀"])("an answer without a word is 0 with the reason: %j", (output) => {
    const { value, reason } = score("who", ["Herman Melville"], output);
    expect([value, reason]).toEqual([0, expect.stringContaining("no letters or digits")]);
  });

  test("an answer without letters or digits is right if it equals a reference", () => {
    expect(score("Which sign adds?", ["plus", "+"], " + ").value).toBe(1);
    expect(score("Which sign adds?", ["+"], "-").value).toBe(0);
  });

  test("a reference without words matches nothing", () => {
    expect(score("who", ["…"], "Herman Melville")).toEqual({
      value: 0,
      reason: "The references contain no words to compare with.",
    });
  });

  test("the reason contains the answer's value and the expected value", () => {
    const { reason } = score("when did the ship sink", ["1912"], "It sank in 1914.");
    expect(reason).toBe("The answer says 1914, but the reference is 1912.");
    expect(score("what is it", ["Canberra"], "It is not Canberra.").reason).toContain("denies");
    expect(score("what is it", ["Canberra"], "I don't know.").reason).toContain("Canberra");
  });

  test("are the same for the same texts, and need no question", () => {
    const twice = [1, 2].map(() => score(null, ["the sea"], "It is the sea, or the lake."));
    expect(twice[0]).toEqual(twice[1] ?? { value: -1, reason: "" });
  });

  test("lie between 0 and 1 with a reason, whatever the texts", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 60 }),
      fc.lorem(),
      fc.constantFrom("1912", "not", "No. 5", "A. B."),
    );
    fc.assert(
      fc.property(text, fc.array(text, { minLength: 1, maxLength: 4 }), text, (question, references, output) => {
        const { value, reason } = score(question, references, output);
        expect(value).toBeWithin(0, 1.0001);
        expect(reason.length).toBeGreaterThan(10);
      }),
      { numRuns: 200 },
    );
  }, 60_000);

  test("the order of references changes nothing", () => {
    const references = ["Raymond Unwin", "Barry Parker", "1902", "New Earswick"];
    const output = "It was designed by Barry Parker in 1902.";
    expect(score("who", references, output).value).toBeCloseTo(score("who", references.toReversed(), output).value, 10);
  });

  test.each([
    ["A", "A "],
    ["A", "x A "],
    ["A", '"A '],
    ["IT", "IT is "],
  ])("a long answer that repeats the common word %s as %j is scored in seconds", (reference, part) => {
    expect(score("Which one is it?", [reference], part.repeat(20_000)).value).toBeWithin(0, 1.001);
  });

  test.each(["a", ". ", "A. ", "1,", "aB", "(", "not ", "日", "20171. ", "x\n", "1 hour ", "nineteen "])(
    "long adversarial texts are scored in seconds: %j",
    (part) => {
      const text = part.repeat(100_000 / part.length);
      const references = Array.from({ length: 100 }, (_, index) => `${text.slice(index, index + 500)} ${index}`);
      expect(score(text, references, text).value).toBeWithin(0, 1.001);
    },
    120_000,
  );
});

test("each feature's weight has the sign that people would expect", () => {
  const harmful: CorrectnessFeature[] = ["otherFact", "refusal", "denied", "opposite", "rivals"];
  const helpful: CorrectnessFeature[] = ["matched", "recall", "f1"];
  expect(harmful.every((name) => CORRECTNESS_MODEL.weights[name] < 0)).toBe(true);
  expect(helpful.every((name) => CORRECTNESS_MODEL.weights[name] > 0)).toBe(true);
});

describe("an abstention", () => {
  const QUESTION = "Who wrote the poem?";
  passes(
    "passes if a reference also says that the question has no answer",
    QUESTION,
    ["unknown"],
    [
      ...[
        "IDK",
        "N/A",
        "I don't know.",
        "Unknown.",
        "Not mentioned in the context.",
        "The passages do not say who wrote it.",
      ],
      ...["unanswerable", "It cannot be determined.", "The answer is unknown. [1]"],
    ],
  );
  passes("is right for N/A", QUESTION, ["N/A"], ["n/a", "unknown", "No answer found."]);
  passes("is only one of the references", QUESTION, ["N/A", "Homer"], ["Homer", "IDK"]);
  fails(
    "as the reference is not matched by an answer",
    QUESTION,
    ["unknown"],
    [...["Homer", "Unknown Pleasures", "I don't know, but I think Homer."]],
  );
  fails("is wrong for any other reference", "Which album?", ["Unknown Pleasures"], ["Unknown", "IDK", "N/A"]);
  passes("that is the name asked for is right", "Which film?", ["Not Given"], ["Not given"]);
  passes(
    "as part of a title is not an abstention",
    "Which film?",
    ["No Country for Old Men"],
    ["No Country for Old Men"],
  );
});

describe("a bare verdict", () => {
  const QUESTION = "Is the drug safe?";
  passes(
    "is recognised in any of its forms",
    QUESTION,
    ["no"],
    [
      ...[
        "No.",
        "FALSE",
        "nope",
        "The answer is no.",
        "The correct answer is no.",
        "Answer: no",
        "It is not true.",
        "No [1].",
      ],
    ],
  );
  passes(
    "is recognised in any of its forms, for other references",
    QUESTION,
    ["True"],
    ["yes", "Yes.", "yep", "Correct!", "That is right."],
  );
  fails(
    "does not match its opposite",
    QUESTION,
    ["Yes"],
    ["No.", "The right answer is no.", "False", "It is not true."],
  );
  fails("is not read from a direction", "Which side?", ["Right"], ["Left", "left"]);
});

describe("a citation marker", () => {
  passes(
    "next to the answer is ignored",
    "When?",
    ["1912"],
    ["1912 [3]", "[2] 1912", "1912【1】", "In 1912 (source 4)."],
  );
  fails("is not the answer", "How many?", ["3"], ["There are 7 [3].", "7【3】", "7 (source 3)"]);
  passes("in the reference is part of the answer", "Which element?", ["x[1]"], ["x[1]"]);
});
