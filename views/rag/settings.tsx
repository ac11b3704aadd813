import type { Static } from "@sinclair/typebox";
import { defaultThreshold } from "../../gateway/rag/indexes/defaults";
import type { RetrievalSettings } from "../../gateway/retrieval-contract";
import { Fields, fieldsOf, type Problems, text } from "../ui/fields";
import { MODES } from "./words";

/** The fields of the retrieval settings, as sent. A field that is left out keeps its value. */
export const RetrievalFields = Fields({
  mode: text(20),
  fusion: text(20),
  weight: text(20),
  candidates: text(20),
  topK: text(20),
  rerank: text(20),
  threshold: text(20),
  contextTokens: text(20),
  fallback: text(2000),
});
type ThresholdScore = NonNullable<RetrievalSettings["threshold"]>["score"];

export type RetrievalForm = Required<Static<typeof RetrievalFields>>;
export const RETRIEVAL_FIELDS = Object.keys(RetrievalFields.properties) as (keyof RetrievalForm)[];

const LABELS = {
  weight: "Weight of the meaning",
  candidates: "Candidates per method",
  topK: "Passages to find",
  threshold: "Threshold",
  contextTokens: "Tokens for passages",
} as const;

const FUSIONS: Readonly<Record<RetrievalSettings["fusion"], string>> = {
  score: "By score",
  rank: "By rank",
};

const RERANKING = { off: "Off", on: "On" } as const;

export const retrievalForm = (settings: RetrievalSettings): RetrievalForm => ({
  mode: settings.mode,
  fusion: settings.fusion,
  weight: String(settings.vector_weight),
  candidates: String(settings.candidates),
  topK: String(settings.top_k),
  rerank: settings.rerank ? "on" : "off",
  threshold: settings.threshold ? String(settings.threshold.value) : "",
  contextTokens: String(settings.max_context_tokens),
  fallback: settings.fallback_text,
});

/** The settings in a form, or its errors by field. Settings without a field keep their `current` value. */
export const readRetrieval = (
  form: RetrievalForm,
  current: RetrievalSettings,
): { settings: RetrievalSettings } | { problems: Problems } => {
  const problems: Record<string, string> = {};
  const amount = (field: keyof typeof LABELS, from: number, to: number, isWhole = true): number => {
    const value = Number(form[field].trim() || Number.NaN);
    if (value >= from && value <= to && (!isWhole || Number.isInteger(value))) return value;
    const range = `from ${from.toLocaleString("en")} to ${to.toLocaleString("en")}`;
    problems[field] = `${LABELS[field]}: enter a ${isWhole ? "whole " : ""}number ${range}`;
    return from;
  };
  const mode = (Object.keys(MODES) as RetrievalSettings["mode"][]).find((known) => known === form.mode);
  const fusion = (Object.keys(FUSIONS) as RetrievalSettings["fusion"][]).find((known) => known === form.fusion);
  if (!mode) problems.mode = "Choose how to search";
  if (!fusion) problems.fusion = "Choose how to combine the results";
  const rerank = form.rerank === "on";
  const hasThreshold = form.threshold.trim() !== "";
  const settings = {
    ...current,
    vector_weight: amount("weight", 0, 1, false),
    candidates: amount("candidates", 1, 1000),
    top_k: amount("topK", 1, 100),
    max_context_tokens: amount("contextTokens", 64, 1_000_000),
    fallback_text: form.fallback.trim(),
    rerank,
    threshold: hasThreshold ? { score: scoreOf(rerank, current), value: amount("threshold", -1, 1, false) } : null,
  };
  if (!mode || !fusion || Object.keys(problems).length > 0) return { problems };
  return { settings: { ...settings, mode, fusion } };
};

/** The score that the form's threshold applies to. Switching reranking on or off changes it. */
const scoreOf = (rerank: boolean, current: RetrievalSettings): ThresholdScore =>
  current.threshold && rerank === current.rerank ? current.threshold.score : defaultThreshold({ rerank }).score;

/** The settings that differ from the index's own. */
export const overridesOf = (settings: RetrievalSettings, own: RetrievalSettings): Partial<RetrievalSettings> =>
  Object.fromEntries(
    Object.entries(settings).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(own[name as keyof RetrievalSettings]),
    ),
  );

const optionsOf = (words: Readonly<Record<string, string>>) =>
  Object.entries(words).map(([value, label]) => ({ value, label }));

interface SettingsProps {
  form: RetrievalForm;
  problems?: Problems;
}

/** How an index is searched. */
export const SettingsFields = ({ form, problems }: SettingsProps) => {
  const { text: line, select, area } = fieldsOf(form, problems);
  const whole = { inputmode: "numeric", autocomplete: "off" };
  const decimal = { inputmode: "decimal", autocomplete: "off" };
  return (
    <>
      <div class="field-row">
        {select("mode", "Search", optionsOf(MODES))}
        {select("fusion", "Combine the results", optionsOf(FUSIONS))}
        {line("weight", LABELS.weight, { ...decimal, hint: "0 to 1. Keywords get the rest" })}
        {line("candidates", LABELS.candidates, { ...whole, hint: "Before ranking" })}
        {line("topK", LABELS.topK, { ...whole, hint: "After ranking" })}
        {select("rerank", "Rerank", optionsOf(RERANKING), { hint: "Requires a rerank model" })}
        {line("threshold", LABELS.threshold, { ...decimal, hint: "Blank: always answer" })}
        {line("contextTokens", LABELS.contextTokens, { ...whole, hint: "Upper limit on what the model reads" })}
      </div>
      {area("fallback", "Answer when nothing relevant is found", { rows: 2, maxlength: 2000 })}
    </>
  );
};
