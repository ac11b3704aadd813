import type { Criterion, FailureKind, Label, SampleResult } from "../../gateway/evals/contract";
import { criteriaOfScores } from "../../gateway/evals/verdict";
import { MAX_COMMENT_LENGTH } from "../../gateway/labels/contract";
import type { LabelService } from "../../gateway/labels/service";
import type { Principal } from "../../gateway/principal";
import { toAppError } from "../../lib/errors";
import type { Problems } from "../ui/fields";
import { FAILURE_WORDS } from "./words";

/** The labels of a form as sent. A field's name contains its criterion: `value-correctness`. */
export type FilledLabels = Readonly<Record<string, string>>;

const FIELDS = ["value", "failure", "comment"] as const;

/** Name and id of a field. */
export const fieldId = (field: (typeof FIELDS)[number], metric: string): string => `${field}-${metric}`;

/** Existing labels as the fields of a form. */
export const filledWith = (labels: readonly Label[]): FilledLabels =>
  Object.fromEntries(
    labels.flatMap((label) => FIELDS.map((field) => [fieldId(field, label.metric), String(label[field] ?? "")])),
  );

/** Reads the labels from the body of a form. */
export const readLabels = (body: Readonly<Record<string, unknown>>): FilledLabels =>
  Object.fromEntries(
    Object.entries(body).flatMap(([name, text]) =>
      typeof text === "string" ? [[name, text.replaceAll("\r\n", "\n")]] : [],
    ),
  );

/** People label only criteria that have a threshold; the others are for information. */
export const labelledCriteria = ({ scores }: SampleResult): Criterion[] =>
  criteriaOfScores(scores).filter(({ threshold }) => threshold !== null);

/** The criteria whose labels a form gives or changes. A form without labels gives the first, whose value is missing. */
export const changedMetrics = (filled: FilledLabels, result: SampleResult, { keyId }: Principal): string[] => {
  const own = filledWith(result.labels.filter(({ labelled_by }) => labelled_by === keyId));
  const all = labelledCriteria(result).map(({ name }) => name);
  const changed = all.filter((metric) =>
    FIELDS.some((field) => {
      const [now = "", before = ""] = [filled[fieldId(field, metric)], own[fieldId(field, metric)]];
      // No value is sent for a label whose value is not among the choices, such as one given through the API.
      return now !== before && !(field === "value" && now === "");
    }),
  );
  return changed.length === 0 && Object.keys(own).length === 0 ? all.slice(0, 1) : changed;
};

const isFailureKind = (text: string): text is FailureKind => Object.hasOwn(FAILURE_WORDS, text);

interface Giving {
  labels: Pick<LabelService, "add">;
  principal: Principal;
  resultId: string;
  /** The author has not seen the scores yet. */
  blind?: boolean;
  /** The message for a form without a value. */
  missing: string;
}

/**
 * Stores the labels of a form by these criteria, or returns their problems by field: then none is stored, unless the
 * service refuses one. Throws not_found.
 */
export const giveLabels = async (
  { labels, principal, resultId, blind, missing }: Giving,
  filled: FilledLabels,
  metrics: readonly string[],
): Promise<Problems | undefined> => {
  const read = (metric: string) => FIELDS.map((field) => filled[fieldId(field, metric)] ?? "");
  const problems: Record<string, string> = {};
  for (const metric of metrics) {
    const [value = "", , comment = ""] = read(metric);
    if (value.trim() === "") problems[fieldId("value", metric)] = missing;
    else if (!Number.isFinite(Number(value))) problems[fieldId("value", metric)] = "Choose one of the values";
    else if (comment.length > MAX_COMMENT_LENGTH) {
      const most = MAX_COMMENT_LENGTH.toLocaleString("en");
      problems[fieldId("comment", metric)] = `Shorten the comment to at most ${most} characters`;
    }
  }
  const add = async (metric: string): Promise<void> => {
    const [value, failure = "", comment = ""] = read(metric);
    const label = { metric, value: Number(value), failure: isFailureKind(failure) ? failure : null, comment, blind };
    try {
      await labels.add(principal, resultId, label, async () => {});
    } catch (thrown) {
      const { kind, message, detail } = toAppError(thrown);
      if (kind === "invalid_request" && detail.param === "value") problems[fieldId("value", metric)] = message;
      // The key may add labels, but no comments: its texts must not be stored.
      else if (kind === "insufficient_role") problems[fieldId("comment", metric)] = message;
      else throw thrown;
    }
  };
  if (Object.keys(problems).length === 0) await Promise.all(metrics.map(add));
  return Object.keys(problems).length > 0 ? problems : undefined;
};
