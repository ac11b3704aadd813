import type { Criterion, FailureKind, Label, SampleResult } from "../../gateway/evals/contract";
import { choicesOf, passes } from "../../gateway/evals/rubric";
import { criteriaOfScores } from "../../gateway/evals/verdict";
import { MAX_COMMENT_LENGTH } from "../../gateway/labels/contract";
import type { LabelService } from "../../gateway/labels/service";
import type { Principal } from "../../gateway/principal";
import { toAppError } from "../../lib/errors";
import { Form, fieldsOf, type Problems } from "../ui/fields";
import { Table } from "../ui/lists";
import { Time } from "../ui/parts";
import { capitalized, FAILURE_WORDS, metricName, valueText } from "./words";

/** The fields of a submitted label form. Each name contains the criterion: `value-correctness`. */
export type FilledLabels = Readonly<Record<string, string>>;

const FIELDS = ["value", "failure", "comment"] as const;

/** The name and id of a criterion's field. */
const fieldId = (field: (typeof FIELDS)[number], metric: string): string => `${field}-${metric}`;

/** Form fields filled with existing labels. */
const filledWith = (labels: readonly Label[]): FilledLabels =>
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

/** Criteria that people can label: those with a threshold. The others are for information. */
export const labelledCriteria = ({ scores }: SampleResult): Criterion[] =>
  criteriaOfScores(scores).filter(({ threshold }) => threshold !== null);

/**
 * Names of the criteria whose labels a form adds or changes. For an empty form, the name of the first criterion, whose
 * value is then reported as missing.
 */
export const changedMetrics = (filled: FilledLabels, result: SampleResult, { keyId }: Principal): string[] => {
  const own = filledWith(result.labels.filter(({ labelled_by }) => labelled_by === keyId));
  const all = labelledCriteria(result).map(({ name }) => name);
  const changed = all.filter((metric) =>
    FIELDS.some((field) => {
      const [now = "", before = ""] = [filled[fieldId(field, metric)], own[fieldId(field, metric)]];
      // Browsers send no value if the stored value is not among the choices, such as a value set through the API.
      return now !== before && !(field === "value" && now === "");
    }),
  );
  return changed.length === 0 && Object.keys(own).length === 0 ? all.slice(0, 1) : changed;
};

/** Text about a criterion. Names the criterion if the page has several: "Correctness: choose a value". */
const about = (metric: string, words: string, isOnly: boolean): string =>
  isOnly ? words : `${metricName(metric)}: ${words.charAt(0).toLowerCase()}${words.slice(1)}`;

const isFailureKind = (text: string): text is FailureKind => Object.hasOwn(FAILURE_WORDS, text);

const NO_FAILURE = "An answer that passes can’t have a failure kind. Choose “Not specified”";

interface StoreOptions {
  labels: Pick<LabelService, "add">;
  principal: Principal;
  resultId: string;
  /** True if the author has not seen the scores yet. */
  blind?: boolean;
  /** The error message if the form has no value. */
  missing: string;
  /** The page has only one criterion, so problems don't name it. */
  isOnly: boolean;
}

/**
 * Stores a form's labels for these criteria, or returns problems by field. If the form itself has a problem, no label
 * is stored. If the service rejects a label, the other labels are stored. Throws not_found.
 */
export const storeLabels = async (
  { labels, principal, resultId, blind, missing, isOnly }: StoreOptions,
  filled: FilledLabels,
  metrics: readonly string[],
): Promise<Problems | undefined> => {
  const read = (metric: string) => FIELDS.map((field) => filled[fieldId(field, metric)] ?? "");
  const problems: Record<string, string> = {};
  const report = (field: (typeof FIELDS)[number], metric: string, problem: string): void => {
    problems[fieldId(field, metric)] = about(metric, problem, isOnly);
  };
  for (const metric of metrics) {
    const [value = "", , comment = ""] = read(metric);
    if (value.trim() === "") report("value", metric, missing);
    else if (!Number.isFinite(Number(value))) report("value", metric, "Choose one of the values");
    else if (comment.length > MAX_COMMENT_LENGTH) {
      const limit = MAX_COMMENT_LENGTH.toLocaleString("en");
      report("comment", metric, `Shorten the comment to at most ${limit} characters`);
    }
  }
  const add = async (metric: string): Promise<void> => {
    const [value, failure = "", comment = ""] = read(metric);
    const label = { metric, value: Number(value), failure: isFailureKind(failure) ? failure : null, comment, blind };
    try {
      await labels.add(principal, resultId, label, async () => {});
    } catch (thrown) {
      const { kind, message, detail } = toAppError(thrown);
      const field = kind === "invalid_request" ? detail.param : undefined;
      // The service's message names the criterion.
      if (field === "value") problems[fieldId("value", metric)] = message;
      else if (field === "failure") report("failure", metric, NO_FAILURE);
      // The key may add labels but no comments, because the text of its requests must not be stored.
      else if (kind === "insufficient_role") report("comment", metric, message);
      else throw thrown;
    }
  };
  if (Object.keys(problems).length === 0) await Promise.all(metrics.map(add));
  return Object.keys(problems).length > 0 ? problems : undefined;
};

/** Maximum number of choices. A finer scale is reduced to its two ends, because people do not judge in hundredths. */
const MAX_CHOICES = 11;

/** The values that people can choose on a criterion's scale, best first, and whether they are the two verdicts. */
const choosable = (criterion: Criterion): { values: number[]; areVerdicts: boolean } => {
  const all = choicesOf(criterion);
  const isFine = criterion.scale.step === null || all.length > MAX_CHOICES;
  const values = isFine ? all.filter((_, index) => index === 0 || index === all.length - 1) : all;
  return {
    values: criterion.direction === "higher_is_better" ? values.toReversed() : values,
    areVerdicts: values.length === 2 && new Set(values.map((value) => passes(criterion, value))).size === 2,
  };
};

const verdictText = (criterion: Criterion, value: number): string =>
  passes(criterion, value) ? "Passes" : "Does not pass";

/**
 * The choices on a criterion's scale, best first. Two values are named by their verdicts, because some people would
 * read a "yes" to "Is it toxic?" as praise.
 */
export const labelChoices = (criterion: Criterion): { value: string; label: string }[] => {
  const { values, areVerdicts } = choosable(criterion);
  const [best, worst] = [values[0], values.at(-1)];
  const words = (value: number): string => {
    if (areVerdicts) return verdictText(criterion, value);
    return `${value}${value === best ? " (best)" : value === worst ? " (worst)" : ""}`;
  };
  return values.map((value) => ({ value: String(value), label: words(value) }));
};

/** A label in words: "Passes", or "4 on a scale of 1 to 5: passes". */
export const labelText = (criterion: Criterion, value: number): string => {
  const { values, areVerdicts } = choosable(criterion);
  if (areVerdicts && values.includes(value)) return verdictText(criterion, value);
  const { min, max, step } = criterion.scale;
  const passed = passes(criterion, value);
  const place = `${step === null ? valueText(value, criterion) : value} on a scale of ${min} to ${max}`;
  return passed === null ? place : `${place}: ${passed ? "passes" : "does not pass"}`;
};

/** The kinds of failure that a reviewer can find in an answer. All others mean that the answer or its score is missing. */
const LABELLED_FAILURES: readonly FailureKind[] = [
  "wrong",
  "unsupported",
  "refused",
  "empty",
  "truncated",
  "bad_format",
  "no_context",
  "invalid_sample",
];

/** The choices of a failure kind, with the current one, which may have been set through the API. */
const failureChoices = (current: string | undefined) => [
  { value: "", label: "Not specified" },
  ...Object.entries(FAILURE_WORDS).flatMap(([value, words]) =>
    value === current || LABELLED_FAILURES.some((kind) => kind === value) ? [{ value, label: capitalized(words) }] : [],
  ),
];

interface LabelFormProps {
  result: SampleResult;
  action: string;
  /** The user's current labels. */
  own: readonly Label[];
  /** The labels of a rejected form. */
  filled?: FilledLabels;
  problems: Problems;
}

/**
 * The user's labels of a result, all in one form, so that saving one label keeps what was typed for another. A new
 * label replaces the user's earlier label, which stays in the history.
 */
export const LabelForm = ({ result, action, own, filled = filledWith(own), problems }: LabelFormProps) => {
  const labelled = labelledCriteria(result);
  if (labelled.length === 0) return null;
  return (
    <details class="card fold" open={Object.keys(problems).length > 0}>
      <summary>{own.length > 0 ? "Change your label" : "Add your label"}</summary>
      <Form look="form" action={action} submit={labelled.length > 1 ? "Save labels" : "Save label"}>
        {labelled.map((criterion) => (
          <LabelFields {...{ criterion, filled, problems }} isOnly={labelled.length === 1} />
        ))}
      </Form>
    </details>
  );
};

interface LabelFieldsProps {
  criterion: Criterion;
  filled?: FilledLabels;
  problems: Problems;
  /** The page has only one criterion, so the fields don't name it. */
  isOnly: boolean;
}

export const LabelFields = ({ criterion, filled = {}, problems, isOnly }: LabelFieldsProps) => {
  const { name: metric, description } = criterion;
  const { area, choice, select } = fieldsOf(filled, problems);
  return (
    <>
      {choice(fieldId("value", metric), metricName(metric), "radio", labelChoices(criterion), { hint: description })}
      {select(
        fieldId("failure", metric),
        about(metric, "Failure kind", isOnly),
        failureChoices(filled[fieldId("failure", metric)]),
      )}
      {area(fieldId("comment", metric), about(metric, "Comment", isOnly), {
        rows: 2,
        maxlength: MAX_COMMENT_LENGTH,
      })}
    </>
  );
};

/** The current labels of all users, in the order of the criteria. */
export const GivenLabels = ({ labels, criteria }: { labels: readonly Label[]; criteria: readonly Criterion[] }) => {
  const placeOf = ({ metric }: Label): number => criteria.findIndex(({ name }) => name === metric);
  const words = ({ metric, value }: Label): string => {
    const criterion = criteria.find(({ name }) => name === metric);
    return criterion ? labelText(criterion, value) : valueText(value);
  };
  return labels.length === 0 ? (
    <p class="hint">No labels yet. Labels show how much you can trust the evaluators.</p>
  ) : (
    <Table
      caption="Labels"
      rows={labels.toSorted((a, b) => placeOf(a) - placeOf(b))}
      columns={[
        { name: "Criterion", cell: ({ metric }) => metricName(metric) },
        { name: "Label", cell: words },
        { name: "Failure kind", cell: ({ failure }) => (failure ? FAILURE_WORDS[failure] : "") },
        { name: "Comment", isLong: true, cell: ({ comment }) => comment ?? "" },
        { name: "By", cell: ({ labelled_by, labelled_by_name: name }) => name ?? <code>{labelled_by}</code> },
        {
          name: "Added",
          cell: ({ created_at, blind }) => (
            <>
              <Time at={created_at} />
              {blind && ", before seeing the scores"}
            </>
          ),
        },
      ]}
    />
  );
};
