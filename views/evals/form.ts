import type { NewSample } from "../../gateway/datasets/contract";
import type { EvaluateRequest, Target } from "../../gateway/evals/contract";
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
  /** Whose sample and settings are taken once more. */
  run: string;
  /** Of a sample that holds an answer: whether that is scored, or a model writes another. */
  answer: "given" | "model";
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
  run: "",
  answer: "given",
  model: "",
  prompt: "",
  maxTokens: "128",
  seed: "0",
  evaluators: [],
};

/** A sample that is taken as it is. */
export interface ChosenSample {
  title: string;
  sample: NewSample;
  /** How a request names it. */
  source: Pick<EvaluateRequest, "sample" | "dataset">;
  /** Hidden fields that name it again when the form is sent. */
  fields: Readonly<Record<string, string>>;
  /** Where others like it are. */
  others: string | null;
}

/** A line between two contexts. Lines are looked at one by one, so long texts take no longer than their length. */
const BETWEEN_CONTEXTS = /^-{3,}$/;
const MOST_TOKENS = 1_000_000;
const HIGHEST_SEED = 4_294_967_295;

const trimmed = (texts: readonly string[]): string[] => texts.map((text) => text.trim()).filter(Boolean);

const splitContexts = (text: string): string[] => {
  const contexts: string[][] = [[]];
  for (const line of text.split("\n")) {
    if (BETWEEN_CONTEXTS.test(line.trim())) contexts.push([]);
    else contexts.at(-1)?.push(line);
  }
  return trimmed(contexts.map((lines) => lines.join("\n")));
};

interface FormContext {
  chosen?: ChosenSample;
  /** Of the run that is repeated: what the form has no field for stays as it was. */
  target?: Target;
  /** Which versions stand alongside which active ones. */
  shadows?: ReadonlyMap<string, string>;
}

/** The request that a form asks for, or what is wrong with it, by field. */
export const readEvalForm = (
  form: EvalForm,
  { chosen, target, shadows = new Map() }: FormContext = {},
): { request: EvaluateRequest } | { problems: Problems } => {
  const problems: Record<string, string> = {};
  const whole = (field: "maxTokens" | "seed", from: number, to: number): number => {
    const value = Number(form[field].trim() || Number.NaN);
    const isWhole = Number.isInteger(value) && value >= from && value <= to;
    if (!isWhole)
      problems[field] = `Enter a whole number from ${from.toLocaleString("en")} to ${to.toLocaleString("en")}`;
    return value;
  };
  const typed = typedSample(form);
  if (!chosen && typed.input === "") problems.input = "Write a question";
  if (!chosen && !typed.references && !typed.contexts) {
    problems.references = "Give a reference answer, or a context: without either there is nothing to compare with";
  }
  if (form.evaluators.length === 0) problems.evaluators = "Choose an evaluator";
  const max_tokens = whole("maxTokens", 1, MOST_TOKENS);
  const seed = whole("seed", 0, HIGHEST_SEED);
  if (Object.keys(problems).length > 0) return { problems };

  const isGiven = chosen ? chosen.sample.output != null && form.answer === "given" : typed.output !== undefined;
  const { temperature, top_p, stop } = target ?? {};
  const asked: Target = {
    kind: "chat",
    max_tokens,
    ...(form.model !== "" && { model: form.model }),
    ...(form.prompt !== "" && { prompt: form.prompt }),
    ...(temperature !== undefined && { temperature }),
    ...(top_p !== undefined && { top_p }),
    ...(stop !== undefined && { stop }),
  };
  const alongside = form.evaluators.flatMap((name) => shadows.get(name) ?? []);
  return {
    request: {
      ...(chosen?.source ?? { sample: typed }),
      ...(!isGiven && { target: asked }),
      seed,
      evaluators: [...form.evaluators],
      ...(alongside.length > 0 && { shadow_evaluators: alongside }),
    },
  };
};

const typedSample = (form: EvalForm): NewSample => {
  const references = trimmed(form.references.split("\n"));
  const contexts = splitContexts(form.contexts);
  const output = form.output.trim();
  return {
    input: form.input.trim(),
    ...(references.length > 0 && { references }),
    ...(contexts.length > 0 && { contexts }),
    ...(output !== "" && { output }),
  };
};
