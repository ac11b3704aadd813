import type { Criterion, FailureKind, Label, SampleResult } from "../../gateway/evals/contract";
import { passes } from "../../gateway/evals/rubric";
import { choicesOf } from "../../gateway/evals/scale";
import { criteriaOfScores } from "../../gateway/evals/verdict";
import { MAX_COMMENT_LENGTH } from "../../gateway/labels/contract";
import { ChoiceField, type Problems, SelectField, TextAreaField } from "../ui/fields";
import { Table } from "../ui/table";
import { Time } from "../ui/time";
import { type FilledLabel, fieldId, filledOf } from "./filled-label";
import { FAILURE_WORDS, metricName, valueText } from "./words";

/** People judge in few steps: of a scale with more values they choose one of its ends. */
const MOST_CHOICES = 11;

/**
 * What a person can choose on a criterion's scale, the best first. Of two values the words are the verdicts: a "yes" to
 * "is it toxic?" would be read as praise by one and as blame by another.
 */
export const labelChoices = (criterion: Criterion): { value: string; label: string }[] => {
  const all = choicesOf(criterion);
  const isFine = criterion.scale.step === null || all.length > MOST_CHOICES;
  const values = isFine ? all.filter((_, index) => index === 0 || index === all.length - 1) : all;
  const bestFirst = criterion.direction === "higher_is_better" ? values.toReversed() : values;
  const [best, worst] = [bestFirst[0], bestFirst.at(-1)];
  const isVerdict = values.length === 2 && new Set(values.map((value) => passes(criterion, value))).size === 2;
  const words = (value: number): string => {
    if (isVerdict) return passes(criterion, value) ? "Passes" : "Does not pass";
    return `${valueText(value)}${value === best ? ", the best" : value === worst ? ", the worst" : ""}`;
  };
  return bestFirst.map((value) => ({ value: String(value), label: words(value) }));
};

/** Criteria that people can decide: one without a threshold is reported only. */
export const isLabelled = ({ threshold }: Criterion): boolean => threshold !== null;

const FAILURE_OPTIONS = [
  { value: "", label: "Nothing, or as it was found" },
  ...(Object.entries(FAILURE_WORDS) as [FailureKind, string][]).map(([value, label]) => ({ value, label })),
];

interface LabelFormProps {
  result: SampleResult;
  /** The reader's own labels that hold. */
  own: readonly Label[];
  /** A form that was refused. */
  filled?: FilledLabel;
  problems: Problems;
}

/** The reader's own word on a result. One given before is replaced and stays in the history. */
export const LabelForm = ({ result, own, filled, problems }: LabelFormProps) => {
  const labelled = criteriaOfScores(result.scores).filter(isLabelled);
  if (labelled.length === 0) return null;
  const filledFor = (metric: string): FilledLabel | undefined => {
    const given = own.find((label) => label.metric === metric);
    return filled?.metric === metric ? filled : given && filledOf(given);
  };
  return (
    <details class="card fold" open={Object.keys(problems).length > 0}>
      <summary>{own.length > 0 ? "Change your label" : "Add your label"}</summary>
      {labelled.map((criterion) => (
        <form class="form" method="post" action={`/evals/results/${result.id}/labels`}>
          <input type="hidden" name="metric" value={criterion.name} />
          <LabelFields criterion={criterion} filled={filledFor(criterion.name)} problems={problems} />
          <div class="form-end">
            <button type="submit" class="secondary">
              Save label for {criterion.name.replaceAll("_", " ")}
            </button>
          </div>
        </form>
      ))}
    </details>
  );
};

interface LabelFieldsProps {
  criterion: Criterion;
  filled?: FilledLabel;
  problems: Problems;
}

/** The fields of one label. */
export const LabelFields = ({ criterion, filled, problems }: LabelFieldsProps) => {
  const ids = (field: "value" | "failure" | "comment") => {
    const id = fieldId(field, criterion.name);
    return { name: field, id, problem: problems[id] };
  };
  return (
    <>
      <ChoiceField
        {...ids("value")}
        legend={metricName(criterion.name)}
        hint={criterion.description}
        type="radio"
        value={filled?.value ? [filled.value] : []}
        options={labelChoices(criterion)}
      />
      <SelectField {...ids("failure")} label="What is wrong" value={filled?.failure} options={FAILURE_OPTIONS} />
      <TextAreaField
        {...ids("comment")}
        label="Comment"
        value={filled?.comment}
        rows={2}
        attributes={{ maxlength: MAX_COMMENT_LENGTH }}
      />
    </>
  );
};

/** Labels that hold, of everybody. */
export const GivenLabels = ({ labels }: { labels: readonly Label[] }) =>
  labels.length === 0 ? (
    <p class="hint">Nobody has labelled this yet. Labels show how far the evaluators can be trusted.</p>
  ) : (
    <Table
      caption="Labels"
      rows={labels}
      columns={[
        { name: "Criterion", cell: ({ metric }) => metricName(metric) },
        { name: "Value", isNumeric: true, cell: ({ value }) => valueText(value) },
        { name: "What is wrong", cell: ({ failure }) => (failure ? FAILURE_WORDS[failure] : "") },
        { name: "Comment", isLong: true, cell: ({ comment }) => comment ?? "" },
        { name: "By", cell: ({ labelled_by }) => labelled_by },
        {
          name: "Given",
          cell: ({ created_at, blind }) => (
            <>
              <Time at={new Date(created_at)} />
              {blind && ", unseen"}
            </>
          ),
        },
      ]}
    />
  );
