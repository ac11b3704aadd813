import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FIELDS, guessFields } from "./fields";

const guess = (...names: string[]) => Object.fromEntries(guessFields(names, new Set()));

const DOCS = join(import.meta.dir, "../../../../docs/datasets.md");

/** Rows of the table in the docs: a field, and the column names it is guessed from. */
const documented = [...readFileSync(DOCS, "utf8").matchAll(/^\| `(\w+)` \| ([\w, ]+) \|/gm)].map(
  ([, field = "", names = ""]) => [field, names.split(", ")] as const,
);

test.each(documented)("%s is guessed from the column names listed in the docs", (field, names) => {
  for (const name of [field, ...names]) expect(guess(name)).toEqual({ [name]: field });
});

test("the docs list every field except metadata", () => {
  expect(documented.map(([field]) => field)).toEqual(FIELDS.filter((field) => field !== "metadata"));
});

test.each(["groundTruth", "Ground Truth", "GROUND-TRUTH", " ground_truth "])("%j is ground_truth", (name) => {
  expect(guess(name)).toEqual({ [name]: "references" });
});

test("the field's own name wins, then the more specific name; the others become metadata", () => {
  expect(guess("prompt", "question", "input")).toEqual({
    prompt: "metadata.prompt",
    question: "metadata.question",
    input: "input",
  });
  expect(guess("prompt", "question")).toEqual({ prompt: "metadata.prompt", question: "input" });
});

test("if another column has the references, an answer column is the output", () => {
  expect(guess("answer", "references")).toEqual({ answer: "output", references: "references" });
  expect(guess("answer", "answers", "response")).toEqual({
    answer: "metadata.answer",
    answers: "references",
    response: "output",
  });
});

test("a filled field is not filled again, except for a list by its own name", () => {
  const taken = new Set(["input", "references", "key"]);
  expect(Object.fromEntries(guessFields(["question", "id", "references", "answer"], taken))).toEqual({
    question: "metadata.question",
    id: "metadata.id",
    references: "references",
    answer: "output",
  });
});

test("everything else is metadata under its own name", () => {
  expect(guess(" topic ", "metadata.level", "metadata")).toEqual({
    " topic ": "metadata.topic",
    "metadata.level": "metadata.level",
    metadata: "metadata",
  });
});

test.each([
  ["Frage", "Antwort"],
  ["q", "gold"],
  ["Q", "Ground Truth"],
  ["question", "expected_output"],
  ["Pregunta", "Respuesta"],
  ["question", "Réponse"],
  ["domanda", "risposta"],
  ["pergunta", "resposta"],
  ["vraag", "antwoord"],
  ["pytanie", "odpowiedź"],
  ["Fråga", "Svar"],
  ["Вопрос", "Ответ"],
  ["问题", "答案"],
  ["質問", "回答"],
  ["질문", "답변"],
  ["user_query", "correct answer"],
  ["input_text", "GoldAnswer"],
])("%s and %s are the question and the expected answer", (input, references) => {
  expect(guess(input, references)).toEqual({ [input]: "input", [references]: "references" });
});

test.each([
  "a",
  "text",
  "label",
  "content",
  "title",
  "name",
  "value",
  "correct",
  "score",
  "golden_gate",
  "goal",
  "class",
])("%s is ambiguous, so it becomes metadata", (name) => {
  expect(guess("question", name)).toEqual({ question: "input", [name]: `metadata.${name}` });
});

test("if another column has the references, an answer column in another language is the output", () => {
  expect(guess("Frage", "Antwort", "gold")).toEqual({ Frage: "input", Antwort: "output", gold: "references" });
});
