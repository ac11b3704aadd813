import type { Static } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { t } from "elysia";
import type { BatchEval, StartBatchEval } from "../../gateway/batch-evals/contract";
import { type AppError, withoutRoutes } from "../../lib/errors";
import { Fields, type Problems, typed } from "../ui/fields";
import { readOwnCriteria, writeOwnCriteria } from "./own-criteria";

/** One or more values, because a browser sends a single one as a string. */
export const several = t.Union(
  [t.Array(t.String({ maxLength: 100 }), { maxItems: 50 }), t.String({ maxLength: 100 })],
  {
    default: [],
  },
);

/** The form's fields, as submitted, in their order. */
export const RunFields = Fields({
  dataset: typed(100),
  revision: typed(10),
  /** Tags of samples: chosen, and typed with commas between them. */
  tag: several,
  tags: typed(4000),
  limit: typed(20),
  kind: typed(10, "chat"),
  model: typed(200),
  prompt: typed(220),
  index: typed(100),
  maxTokens: typed(20, "128"),
  temperature: typed(20, "0"),
  topP: typed(20),
  evaluators: several,
  shadows: several,
  criteria: several,
  /** The user's own criteria, see `readOwnCriteria`. */
  own: typed(20_000),
  repeats: typed(20, "1"),
  seed: typed(20, "0"),
  concurrency: typed(20, "64"),
  /** In percent. */
  errors: typed(20),
  name: typed(200),
  /** Tags of the run. */
  labels: typed(2000),
});
type Several = "tag" | "evaluators" | "shadows" | "criteria";
export type RunForm = Omit<Static<typeof RunFields>, Several> & Record<Several, readonly string[]>;

export const EMPTY_RUN: RunForm = { ...Value.Create(RunFields), tag: [], evaluators: [], shadows: [], criteria: [] };

/** A submitted form. A browser sends a single choice as a string, and leaves out a field without choices. */
export const toRunForm = (body: Partial<Static<typeof RunFields>>): RunForm => ({
  ...EMPTY_RUN,
  ...body,
  tag: [body.tag ?? []].flat(),
  evaluators: [body.evaluators ?? []].flat(),
  shadows: [body.shadows ?? []].flat(),
  criteria: [body.criteria ?? []].flat(),
});

/** Labels and ranges of the number fields. Errors repeat the label, because several fields have the same range. */
export const NUMBERS = {
  revision: { label: "Revision", from: 1, to: 1_000_000_000, isOptional: true },
  limit: { label: "Number of samples", from: 1, to: 10_000_000, isOptional: true },
  maxTokens: { label: "Maximum length (tokens)", from: 1, to: 1_000_000 },
  temperature: { label: "Temperature", from: 0, to: 2, isFraction: true },
  topP: { label: "Top p", from: 0, to: 1, isFraction: true, isOptional: true },
  repeats: { label: "Answers per sample", from: 1, to: 100 },
  seed: { label: "Seed", from: 0, to: 4_294_967_295 },
  concurrency: { label: "Parallel requests", from: 1, to: 1024 },
  errors: { label: "Stop at this error rate (%)", from: 0, to: 100, isFraction: true, isOptional: true },
} as const;
type NumberField = keyof typeof NUMBERS;

const splitTags = (text: string): string[] =>
  text
    .split(",")
    .map((tag) => tag.trim())
    .filter(Boolean);

/** Converts the form to a request, or returns problems by field, in the order of the fields. */
export const readRunForm = (form: RunForm): { request: StartBatchEval } | { problems: Problems } => {
  const found: Record<string, string> = {};
  const numberIn = (field: NumberField): number | undefined => {
    const { label, from, to, ...rule } = NUMBERS[field] as (typeof NUMBERS)["topP"];
    const typedText = form[field].trim();
    if (typedText === "" && rule.isOptional) return undefined;
    const value = Number(typedText.replace(",", ".") || Number.NaN);
    const isValid = value >= from && value <= to && (rule.isFraction || Number.isInteger(value));
    const what = rule.isFraction ? "a number" : "a whole number";
    if (!isValid)
      found[field] = `${label}: enter ${what} from ${from.toLocaleString("en")} to ${to.toLocaleString("en")}`;
    return value;
  };
  const tagsIn = (field: "tags" | "labels", most: number, chosen: readonly string[] = []): string[] => {
    const tags = [...new Set([...chosen, ...splitTags(form[field])])];
    const long = tags.find((tag) => tag.length > 64);
    if (long) found[field] = `Shorten the tag “${long.slice(0, 20)}…” to at most 64 characters`;
    else if (tags.length > most) found[field] = `Enter at most ${most} tags`;
    return tags;
  };
  if (form.dataset === "") found.dataset = "Choose a dataset";
  const revision = numberIn("revision");
  const tags = tagsIn("tags", 50, form.tag);
  const limit = numberIn("limit");
  const target = targetIn(form, numberIn, found);
  if (form.evaluators.length === 0) found.evaluators = "Choose an evaluator";
  const twice = form.shadows.find((name) => form.evaluators.includes(name));
  if (twice) found.shadows = `${twice} already counts towards the verdict. Clear one of the two boxes`;
  const own = readOwnCriteria(form.own);
  if ("problem" in own) found.own = own.problem;
  const criteria = [...form.criteria, ...("problem" in own ? [] : own)];
  if (criteria.length > MAX_CRITERIA) found.own = `Use at most ${MAX_CRITERIA} criteria`;
  const repeats = numberIn("repeats");
  const seed = numberIn("seed");
  const concurrency = numberIn("concurrency");
  const errors = numberIn("errors");
  const labels = tagsIn("labels", 20);
  const problems = inFieldOrder(found);
  if (Object.keys(problems).length > 0) return { problems };

  const samples = { ...(tags.length > 0 && { tags }), ...(limit !== undefined && { limit }) };
  return {
    request: {
      dataset: form.dataset,
      ...(revision !== undefined && { revision }),
      ...(Object.keys(samples).length > 0 && { samples }),
      target,
      evaluators: [...form.evaluators],
      ...(form.shadows.length > 0 && { shadow_evaluators: [...form.shadows] }),
      ...(criteria.length > 0 && { rubric: { criteria } }),
      repeats,
      seed,
      max_concurrency: concurrency,
      ...(errors !== undefined && { max_error_share: errors / 100 }),
      ...(form.name.trim() !== "" && { name: form.name.trim() }),
      ...(labels.length > 0 && { tags: labels }),
    },
  };
};

const targetIn = (
  form: RunForm,
  numberIn: (field: NumberField) => number | undefined,
  found: Record<string, string>,
): StartBatchEval["target"] => {
  if (form.kind === "stored") return { kind: "stored" };
  const isSearched = form.kind === "rag";
  if (isSearched && form.index === "") found.index = "Choose an index";
  const top_p = isSearched ? undefined : numberIn("topP");
  return {
    kind: isSearched ? "rag" : "chat",
    ...(isSearched && { index: form.index }),
    ...(form.model !== "" && { model: form.model }),
    ...(form.prompt !== "" && { prompt: form.prompt }),
    max_tokens: numberIn("maxTokens"),
    temperature: numberIn("temperature"),
    ...(top_p !== undefined && { top_p }),
  };
};

const inFieldOrder = (found: Readonly<Record<string, string>>): Problems =>
  Object.fromEntries(Object.keys(RunFields.properties).flatMap((name) => (found[name] ? [[name, found[name]]] : [])));

/** The form field of each API parameter. */
const FIELD_OF: readonly (readonly [param: RegExp, field: string])[] = [
  [/^dataset/, "dataset"],
  [/^revision/, "revision"],
  [/^samples\.tags/, "tags"],
  [/^samples\.limit/, "limit"],
  [/^(target\.)?model/, "model"],
  [/^(target\.)?prompt/, "prompt"],
  [/^(target\.)?index/, "index"],
  [/^target/, "kind"],
  [/^sample/, "dataset"],
  [/^(evaluators|version)/, "evaluators"],
  [/^shadow_evaluators/, "shadows"],
  [/^rubric/, "criteria"],
];

/** The service's reason for rejecting the form, at its field; undefined for an error that is not about a field. */
export const problemsOf = ({ kind, message, detail }: AppError, form: RunForm): Problems | undefined => {
  const isAboutForm = ["invalid_request", "not_found", "model_not_found", "not_implemented"].includes(kind);
  const found = FIELD_OF.find(([param]) => param.test(detail.param ?? ""))?.[1];
  const place = Number(/^rubric\.criteria\.(\d+)/.exec(detail.param ?? "")?.[1]);
  const field = place >= form.criteria.length ? "own" : found === "tags" && form.tag.length > 0 ? "tag" : found;
  return isAboutForm && field ? { [field]: withoutRoutes(message) } : undefined;
};

/** As in the schema of a rubric. */
const MAX_CRITERIA = 20;

/** The form's fields with the settings of an earlier run. */
export const filledWith = ({ pins, settings, tags }: BatchEval): Partial<RunForm> => {
  const { dataset, samples, target, evaluators, rubric, seed, repeats } = pins;
  const named = (isShadow: boolean) =>
    evaluators.flatMap(({ evaluator, shadow }) => (shadow === isShadow ? [evaluator] : []));
  return {
    dataset: dataset?.id ?? "",
    revision: String(dataset?.revision ?? ""),
    tag: samples?.tags ?? [],
    limit: String(samples?.limit ?? ""),
    kind: target.kind,
    model: target.model ?? "",
    prompt: target.prompt ?? "",
    index: target.index ?? "",
    maxTokens: String(target.max_tokens ?? EMPTY_RUN.maxTokens),
    temperature: String(target.temperature ?? 0),
    topP: String(target.top_p ?? ""),
    evaluators: named(false),
    shadows: named(true),
    criteria: rubric?.criteria.filter((each) => typeof each === "string") ?? [],
    own: writeOwnCriteria(rubric?.criteria.filter((each) => typeof each !== "string") ?? []),
    repeats: String(repeats),
    seed: String(seed),
    concurrency: String(settings.max_concurrency ?? EMPTY_RUN.concurrency),
    errors: settings.max_error_share == null ? "" : String(Math.round(settings.max_error_share * 1000) / 10),
    labels: tags.join(", "),
  };
};
