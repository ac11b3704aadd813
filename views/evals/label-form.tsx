import type { Criterion, Label, SampleResult } from "../../gateway/evals/contract";
import { passes } from "../../gateway/evals/rubric";
import { choicesOf } from "../../gateway/evals/scale";
import { MAX_COMMENT_LENGTH } from "../../gateway/labels/contract";
import { Form, fieldsOf, type Problems } from "../ui/fields";
import { Table } from "../ui/table";
import { Time } from "../ui/time";
import { type FilledLabels, fieldId, filledWith, labelledCriteria } from "./filled-label";
import { FAILURE_WORDS, metricName, valueText } from "./words";

/** A finer scale is reduced to its two ends: people do not judge in hundredths. */
const MAX_CHOICES = 11;

/** Values of a criterion's scale that people choose from, best first, and whether they are the two verdicts. */
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
 * The choices on a criterion's scale, best first. Two values are named by their verdicts: some people would read a "yes"
 * to "Is it toxic?" as praise.
 */
export const labelChoices = (criterion: Criterion): { value: string; label: string }[] => {
  const { values, areVerdicts } = choosable(criterion);
  const [best, worst] = [values[0], values.at(-1)];
  const words = (value: number): string => {
    if (areVerdicts) return verdictText(criterion, value);
    return `${value}${value === best ? ", the best" : value === worst ? ", the worst" : ""}`;
  };
  return values.map((value) => ({ value: String(value), label: words(value) }));
};

/** A label in the words of its scale: "Passes", or "4 on a scale of 1 to 5: passes". */
export const labelText = (criterion: Criterion, value: number): string => {
  const { values, areVerdicts } = choosable(criterion);
  if (areVerdicts && values.includes(value)) return verdictText(criterion, value);
  const { min, max, step } = criterion.scale;
  const passed = passes(criterion, value);
  const place = `${step === null ? valueText(value, criterion) : value} on a scale of ${min} to ${max}`;
  return passed === null ? place : `${place}: ${passed ? "passes" : "does not pass"}`;
};

const FAILURE_OPTIONS = [
  { value: "", label: "Not specified" },
  ...Object.entries(FAILURE_WORDS).map(([value, label]) => ({ value, label })),
];

interface LabelFormProps {
  result: SampleResult;
  /** The reader's current labels. */
  own: readonly Label[];
  /** The labels of a form that was refused. */
  filled?: FilledLabels;
  problems: Problems;
}

/**
 * The reader's labels of a result, all in one form, so that saving one keeps what was typed for another. A new one
 * replaces the reader's earlier one, which stays in the history.
 */
export const LabelForm = ({ result, own, filled = filledWith(own), problems }: LabelFormProps) => {
  const labelled = labelledCriteria(result);
  if (labelled.length === 0) return null;
  return (
    <details class="card fold" open={Object.keys(problems).length > 0}>
      <summary>{own.length > 0 ? "Change your label" : "Add your label"}</summary>
      <Form
        look="form"
        action={`/evals/${result.run_id}/results/${result.id}/labels`}
        submit={labelled.length > 1 ? "Save labels" : "Save label"}
      >
        {labelled.map((criterion) => (
          <LabelFields criterion={criterion} filled={filled} problems={problems} />
        ))}
      </Form>
    </details>
  );
};

interface LabelFieldsProps {
  criterion: Criterion;
  filled?: FilledLabels;
  problems: Problems;
}

export const LabelFields = ({ criterion, filled = {}, problems }: LabelFieldsProps) => {
  const { name: metric, description } = criterion;
  const { area, choice, select } = fieldsOf(filled, problems);
  return (
    <>
      {choice(fieldId("value", metric), metricName(metric), "radio", labelChoices(criterion), { hint: description })}
      {select(fieldId("failure", metric), "Kind of failure", FAILURE_OPTIONS)}
      {area(fieldId("comment", metric), "Comment", { rows: 2, maxlength: MAX_COMMENT_LENGTH })}
    </>
  );
};

/** Everyone's current labels, in the order of the criteria. */
export const GivenLabels = ({ labels, criteria }: { labels: readonly Label[]; criteria: readonly Criterion[] }) => {
  const placeOf = ({ metric }: Label): number => criteria.findIndex(({ name }) => name === metric);
  const words = ({ metric, value }: Label): string => {
    const criterion = criteria.find(({ name }) => name === metric);
    return criterion ? labelText(criterion, value) : valueText(value);
  };
  return labels.length === 0 ? (
    <p class="hint">No labels yet. Labels show how far you can trust the evaluators.</p>
  ) : (
    <Table
      caption="Labels"
      rows={labels.toSorted((a, b) => placeOf(a) - placeOf(b))}
      columns={[
        { name: "Criterion", cell: ({ metric }) => metricName(metric) },
        { name: "Label", cell: words },
        { name: "Kind of failure", cell: ({ failure }) => (failure ? FAILURE_WORDS[failure] : "") },
        { name: "Comment", isLong: true, cell: ({ comment }) => comment ?? "" },
        { name: "By", cell: ({ labelled_by, labelled_by_name: name }) => name ?? <code>{labelled_by}</code> },
        {
          name: "Given",
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
