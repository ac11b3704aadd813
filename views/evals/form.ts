import type { Static } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { t } from "elysia";
import { textOfInput } from "../../gateway/datasets/content";
import type { Dataset, NewSample } from "../../gateway/datasets/contract";
import type { EvaluateRequest, Target } from "../../gateway/evals/contract";
import type { EvaluatorVersion } from "../../gateway/evaluators/contract";
import type { Principal } from "../../gateway/principal";
import type { Services } from "../../gateway/services";
import { toAppError } from "../../lib/errors";
import type { modelOptions } from "../ui/capabilities";
import { Fields, type Problems, typed } from "../ui/fields";
import { withoutEmpty, withQuery } from "../ui/lists";

/** Maximum length of a typed text in characters, the same as in a dataset sample. */
export const MAX_TEXT = 1_000_000;

/** Labels of the number fields. Error messages include the label, because both fields have the same kind of rule. */
export const NUMBER_LABELS = { maxTokens: "Maximum length (tokens)", seed: "Seed" } as const;

/** The form's fields, as submitted. */
export const EvalFields = Fields({
  input: typed(MAX_TEXT),
  /** Reference answers, one per line. */
  references: typed(MAX_TEXT),
  /** Contexts, separated by lines of `---`. */
  contexts: typed(MAX_TEXT),
  output: typed(MAX_TEXT),
  /** With `revision` and `key`, identifies a stored sample, which replaces the four fields above. */
  dataset: typed(100),
  revision: typed(10),
  key: typed(200),
  /** Id of the run to repeat, with its sample and settings. */
  run: typed(100),
  /** For a sample with an answer: "given" scores that answer, "model" has the model write a new one. */
  answer: typed(10, "given"),
  /** Id of the index that answers; empty: the model alone. */
  index: typed(100),
  model: typed(200),
  prompt: typed(220),
  maxTokens: typed(20, "128"),
  seed: typed(20, "0"),
  evaluators: t.Union([t.Array(t.String({ maxLength: 100 })), t.String({ maxLength: 100 })], { default: [] }),
});
export type EvalForm = Omit<Static<typeof EvalFields>, "evaluators"> & { evaluators: readonly string[] };

export const EMPTY_FORM: EvalForm = { ...Value.Create(EvalFields), evaluators: [] };

/** A stored sample, which the form does not change. */
export interface ChosenSample {
  title: string;
  sample: NewSample;
  /** How the evaluation request refers to the sample. */
  source: Pick<EvaluateRequest, "sample" | "dataset">;
  /** Hidden form fields that refer to the sample. */
  fields: Readonly<Record<string, string>>;
  /** Path of the list from which the sample was chosen; null for a run's sample. */
  others: string | null;
  /** Path of the form in which the user types a sample. For a run's sample, that form is filled with it. */
  typed: string;
}

/** A line that separates two contexts. Lines are matched one by one, so that a long text takes linear time. */
const BETWEEN_CONTEXTS = /^-{3,}$/;
const MAX_TOKENS = 1_000_000;
const MAX_SEED = 4_294_967_295;

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
  /** Target of the run to repeat. Its settings without a form field are kept. */
  target?: Target;
  /** Shadow version of each active version. */
  shadows?: ReadonlyMap<string, string>;
}

/** Converts the form to a request, or returns problems by field, in the order of the fields. */
export const readEvalForm = (
  form: EvalForm,
  { chosen, target, shadows = new Map() }: FormContext = {},
): { request: EvaluateRequest } | { problems: Problems } => {
  const problems: Record<string, string> = {};
  const whole = (field: keyof typeof NUMBER_LABELS, from: number, to: number): number => {
    const value = Number(form[field].trim() || Number.NaN);
    const isWhole = Number.isInteger(value) && value >= from && value <= to;
    const range = `from ${from.toLocaleString("en")} to ${to.toLocaleString("en")}`;
    if (!isWhole) problems[field] = `${NUMBER_LABELS[field]}: enter a whole number ${range}`;
    return value;
  };
  const sample = typedSample(form);
  if (!chosen && sample.input === "") problems.input = "Enter a question";
  const isSearched = form.index !== "" && sample.output === undefined;
  if (!chosen && !sample.references && !sample.contexts && !isSearched) {
    problems.references = "Enter a reference answer or a context to compare the answer with";
  }
  const max_tokens = whole("maxTokens", 1, MAX_TOKENS);
  const seed = whole("seed", 0, MAX_SEED);
  if (form.evaluators.length === 0) problems.evaluators = "Choose an evaluator";
  if (Object.keys(problems).length > 0) return { problems };

  const isGiven = chosen ? chosen.sample.output != null && form.answer !== "model" : sample.output !== undefined;
  const shared = {
    max_tokens,
    ...(form.model !== "" && { model: form.model }),
    ...(form.prompt !== "" && { prompt: form.prompt }),
    ...kept(target, ["temperature"]),
  };
  const asked: Target =
    form.index === ""
      ? { kind: "chat", ...shared, ...kept(target, ["top_p", "stop"]) }
      : // Another index has its own search settings.
        { kind: "rag", index: form.index, ...shared, ...(target?.index === form.index && kept(target, ["retrieval"])) };
  const shadowEvaluators = form.evaluators.flatMap((name) => shadows.get(name) ?? []);
  return {
    request: {
      ...(chosen?.source ?? { sample }),
      ...(!isGiven && { target: asked }),
      seed,
      evaluators: [...form.evaluators],
      ...(shadowEvaluators.length > 0 && { shadow_evaluators: shadowEvaluators }),
    },
  };
};

/** The settings of a repeated run that have no form field. */
const kept = (target: Target | undefined, names: readonly (keyof Target)[]): Partial<Target> =>
  Object.fromEntries(names.flatMap((name) => (target?.[name] === undefined ? [] : [[name, target[name]]])));

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

/** The typed fields, filled with a sample for the user to change. Each line of a reference becomes a reference. */
const fieldsForSample = ({ input, references = [], contexts = [], output }: NewSample) => ({
  input: textOfInput(input),
  references: references.join("\n"),
  contexts: contexts.join("\n---\n"),
  output: output ?? "",
});

export interface EvalChoices {
  models: Parameters<typeof modelOptions>[0];
  indexes: readonly { id: string; name: string }[];
  /** `name@version` */
  prompts: readonly string[];
  evaluators: readonly EvaluatorVersion[];
  /** Shadow version of each active version, both as `name@version`. */
  shadows: ReadonlyMap<string, string>;
  datasets: readonly Dataset[];
}

/** Maximum number of options per select field. */
const MAX_OPTIONS = 100;

export interface FormServices extends Pick<Services, "datasets" | "evals" | "evaluators" | "models" | "prompts"> {
  indexes: Pick<Services["indexes"], "names">;
}

/** Loads the data for the new-evaluation form: its choices, and the sample or run from which it starts. */
export const createNewForm = ({ datasets, evals, evaluators, indexes, models, prompts }: FormServices) => {
  /** The dataset sample with the form's key, or the revision's first sample. Throws not_found. */
  const datasetSample = async ({ dataset: id, revision, key }: EvalForm) => {
    const number = revision === "" ? undefined : Number(revision);
    const { dataset, revision: found } = await datasets.revision(id, number);
    const wanted = key === "" ? (await datasets.samples(id, { limit: 1, revision: number })).data[0]?.key : key;
    const sample = await datasets.sample(id, wanted ?? "", found.revision);
    const chosen: ChosenSample = {
      title: `${sample.key} of ${dataset.name}, revision ${found.revision}`,
      sample,
      source: { dataset: { dataset: dataset.id, revision: found.revision, key: sample.key } },
      fields: { dataset: dataset.id, revision: String(found.revision), key: sample.key },
      others: withQuery(`/datasets/${dataset.id}`, { revision: found.revision }),
      typed: "/evals/new",
    };
    return chosen;
  };

  /** A run's stored sample, and the target that answered it. */
  const runSample = async (principal: Principal, id: string): Promise<{ chosen: ChosenSample; target: Target }> => {
    const { run, sample } = await evals.sampleOf(principal, id);
    return {
      chosen: {
        title: "The sample of the earlier evaluation",
        sample,
        source: { sample },
        fields: { run: id },
        others: null,
        typed: withQuery("/evals/new", { run: id, edit: "true" }),
      },
      target: run.pins.target,
    };
  };

  return {
    async choices(principal: Principal): Promise<EvalChoices> {
      const { data: known } = await evaluators.list({ limit: MAX_OPTIONS });
      const { data: named } = await prompts.list({ limit: MAX_OPTIONS });
      const newest = await Promise.all(
        known.map(async ({ name, active }) =>
          active ? [active] : (await evaluators.versions(name, { limit: 1 })).data,
        ),
      );
      return {
        models: models
          .list(principal)
          .filter(({ kind }) => kind === "chat")
          .map(({ id, default: isDefault, capabilities }) => ({ id, isDefault, capabilities })),
        indexes: await indexes.names(principal),
        prompts: named.map(({ name, latest }) => `${name}@${latest.version}`),
        evaluators: newest.flat(),
        shadows: new Map(
          known.flatMap(({ name, active, shadow }) =>
            active && shadow ? [[`${name}@${active.version}`, `${name}@${shadow.version}`] as const] : [],
          ),
        ),
        datasets: (await datasets.list({ limit: MAX_OPTIONS })).data,
      };
    },

    /** The form's stored sample and the target of the run that it repeats, or the problem with the sample's key. */
    async chosenOf(
      principal: Principal,
      form: EvalForm,
    ): Promise<{ chosen?: ChosenSample; target?: Target; problems?: Problems }> {
      const again = form.run === "" ? undefined : await runSample(principal, form.run);
      if (form.dataset === "") return again ?? {};
      try {
        const chosen = await datasetSample(form);
        return { chosen: { ...chosen, fields: { ...again?.chosen.fields, ...chosen.fields } }, target: again?.target };
      } catch (thrown) {
        const error = toAppError(thrown);
        if (error.kind !== "not_found") throw thrown;
        // The run keeps its sample even if the dataset was deleted.
        return again ?? { problems: { key: error.message } };
      }
    },

    /** The form's initial fields: for repeating a run, including a typed sample, or for evaluating a dataset sample. */
    async filledFrom(
      principal: Principal,
      query: { run?: string; edit?: string; dataset?: string; revision?: string; key?: string; index?: string },
    ) {
      if (query.run === undefined) return withoutEmpty(query);
      const { run, sample } = await evals.sampleOf(principal, query.run);
      const { target, dataset, seed, evaluators: scored } = run.pins;
      const isEdited = query.edit !== undefined;
      return {
        ...(!isEdited && { run: query.run }),
        index: target.index ?? "",
        model: target.model ?? "",
        prompt: target.prompt ?? "",
        maxTokens: String(target.max_tokens ?? EMPTY_FORM.maxTokens),
        seed: String(seed),
        answer: target.kind === "stored" ? "given" : "model",
        evaluators: scored.flatMap(({ evaluator, shadow }) => (shadow ? [] : [evaluator])),
        ...(dataset && sample.key && !isEdited
          ? { dataset: dataset.id, revision: String(dataset.revision), key: sample.key }
          : fieldsForSample(sample)),
      };
    },
  };
};
