import type { Criterion, FailureKind, Label, SampleResult } from "../../gateway/evals/contract";
import { criteriaOfScores } from "../../gateway/evals/verdict";
import { MAX_COMMENT_LENGTH } from "../../gateway/labels/contract";
import type { LabelService } from "../../gateway/labels/service";
import type { Principal } from "../../gateway/principal";
import { toAppError } from "../../lib/errors";
import type { Problems } from "../ui/fields";
import { FAILURE_WORDS } from "./words";

/** The fields of one label, as sent. */
export interface FilledLabel {
  metric: string;
  value: string;
  failure: string;
  comment: string;
}

/** An existing label as form fields. */
export const filledOf = ({ metric, value, failure, comment }: Label): FilledLabel => ({
  metric,
  value: String(value),
  failure: failure ?? "",
  comment: comment ?? "",
});

/** Name and id of a field. It contains the criterion, because one form has the labels of all criteria. */
export const fieldId = (field: "value" | "failure" | "comment", metric: string): string => `${field}-${metric}`;

/** Reads the label by one criterion from the body of a form. */
export const readLabel = (body: Readonly<Record<string, unknown>>, metric: string): FilledLabel => {
  const read = (field: Parameters<typeof fieldId>[0]): string => {
    const text = body[fieldId(field, metric)];
    return typeof text === "string" ? text.replaceAll("\r\n", "\n") : "";
  };
  return { metric, value: read("value"), failure: read("failure"), comment: read("comment") };
};

/** People label only criteria that have a threshold; the others are for information. */
export const labelledCriteria = ({ scores }: SampleResult): Criterion[] =>
  criteriaOfScores(scores).filter(({ threshold }) => threshold !== null);

/** The labels of a result that a form gives or changes. A form without any gives the first, whose value is missing. */
export const changedLabels = (
  body: Readonly<Record<string, unknown>>,
  result: SampleResult,
  { keyId }: Principal,
): FilledLabel[] => {
  const own = result.labels.filter(({ labelled_by }) => labelled_by === keyId).map(filledOf);
  const all = labelledCriteria(result).map(({ name }) => readLabel(body, name));
  const changed = all.filter(({ metric, ...now }) => {
    const { value, failure, comment } = own.find((label) => label.metric === metric) ?? NOTHING;
    // No value is sent for a label whose value is not among the choices, such as one given through the API.
    return (now.value !== "" && now.value !== value) || now.failure !== failure || now.comment !== comment;
  });
  return changed.length === 0 && own.length === 0 ? all.slice(0, 1) : changed;
};

const NOTHING = { value: "", failure: "", comment: "" };

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

/** Problems that are found without asking the service, by field. */
const problemsOf = ({ metric, value, comment }: FilledLabel, missing: string): Problems => {
  if (value.trim() === "") return { [fieldId("value", metric)]: missing };
  if (!Number.isFinite(Number(value))) return { [fieldId("value", metric)]: "Choose one of the values" };
  if (comment.length <= MAX_COMMENT_LENGTH) return {};
  const most = MAX_COMMENT_LENGTH.toLocaleString("en");
  return { [fieldId("comment", metric)]: `Shorten the comment to at most ${most} characters` };
};

/** Stores the labels of a form, or returns their problems by field: then none is stored, unless the service refuses one. Throws not_found. */
export const giveLabels = async (giving: Giving, filled: readonly FilledLabel[]): Promise<Problems | undefined> => {
  const found = Object.assign({}, ...filled.map((label) => problemsOf(label, giving.missing)));
  if (Object.keys(found).length > 0) return found;
  const problems = await Promise.all(filled.map((label) => store(giving, label)));
  return problems.some(Boolean) ? Object.assign({}, ...problems) : undefined;
};

const store = async (
  { labels, principal, resultId, blind }: Giving,
  { metric, value, failure: kind, comment }: FilledLabel,
): Promise<Problems | undefined> => {
  const label = { metric, value: Number(value), failure: isFailureKind(kind) ? kind : null, comment, blind };
  try {
    await labels.add(principal, resultId, label, async () => {});
    return undefined;
  } catch (thrown) {
    const { kind, message, detail } = toAppError(thrown);
    if (kind === "invalid_request" && detail.param === "value") return { [fieldId("value", metric)]: message };
    // The key may add labels, but no comments: its texts must not be stored.
    if (kind === "insufficient_role") return { [fieldId("comment", metric)]: message };
    throw thrown;
  }
};
