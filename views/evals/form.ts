import type { EvaluateRequest } from "../../gateway/evals/contract";
import type { Problems } from "../ui/fields";

/** A filled form, as it came. */
export interface EvalForm {
  input: string;
  /** One on a line. */
  references: string;
  /** Apart by a line with nothing but `---`. */
  contexts: string;
  output: string;
  /** Of a sample that is taken as it is, in place of the four above. */
  dataset: string;
  revision: string;
  key: string;
  model: string;
  prompt: string;
  maxTokens: string;
  seed: string;
  evaluators: readonly string[];
}

export const EMPTY_FORM: EvalForm = {
  input: "",
  references: "",
  contexts: "",
  output: "",
  dataset: "",
  revision: "",
  key: "",
  model: "",
  prompt: "",
  maxTokens: "128",
  seed: "0",
  evaluators: [],
};

/** A line between two contexts. Lines are looked at one by one, so long texts take no longer than their length. */
const BETWEEN_CONTEXTS = /^-{3,}$/;
const MOST_TOKENS = 1_000_000;
const HIGHEST_SEED = 4_294_967_295;

export const joinContexts = (contexts: readonly string[]): string => contexts.join("\n---\n");

const trimmed = (texts: readonly string[]): string[] => texts.map((text) => text.trim()).filter(Boolean);

const splitContexts = (text: string): string[] => {
  const contexts: string[][] = [[]];
  for (const line of text.split("\n")) {
    if (BETWEEN_CONTEXTS.test(line.trim())) contexts.push([]);
    else contexts.at(-1)?.push(line);
  }
  return trimmed(contexts.map((lines) => lines.join("\n")));
};

/** The request that a form asks for, or what is wrong with it, by field. */
export const readEvalForm = (form: EvalForm): { request: EvaluateRequest } | { problems: Problems } => {
  const problems: Record<string, string> = {};
  const whole = (field: "maxTokens" | "seed", from: number, to: number): number => {
    const value = Number(form[field].trim() || Number.NaN);
    const isWhole = Number.isInteger(value) && value >= from && value <= to;
    if (!isWhole)
      problems[field] = `Enter a whole number from ${from.toLocaleString("en")} to ${to.toLocaleString("en")}`;
    return value;
  };
  const isSample = form.dataset !== "";
  const references = trimmed(form.references.split("\n"));
  const contexts = splitContexts(form.contexts);
  if (!isSample && form.input.trim() === "") problems.input = "Write a question";
  if (!isSample && references.length === 0 && contexts.length === 0) {
    problems.references = "Give a reference answer, or a context: without either there is nothing to compare with";
  }
  if (form.evaluators.length === 0) problems.evaluators = "Choose an evaluator";
  const max_tokens = whole("maxTokens", 1, MOST_TOKENS);
  const seed = whole("seed", 0, HIGHEST_SEED);
  if (Object.keys(problems).length > 0) return { problems };

  const sample = {
    input: form.input.trim(),
    ...(references.length > 0 && { references }),
    ...(contexts.length > 0 && { contexts }),
    ...(form.output.trim() !== "" && { output: form.output.trim() }),
  };
  const named = {
    dataset: form.dataset,
    key: form.key,
    ...(form.revision !== "" && { revision: Number(form.revision) }),
  };
  const target = {
    kind: "chat" as const,
    max_tokens,
    ...(form.model !== "" && { model: form.model }),
    ...(form.prompt !== "" && { prompt: form.prompt }),
  };
  const source = isSample ? { dataset: named } : { sample };
  return { request: { ...source, target, seed, evaluators: [...form.evaluators] } };
};
