import type { Dataset } from "../../gateway/datasets/contract";
import { BUILT_IN_CRITERIA } from "../../gateway/evals/rubric";
import type { EvaluatorVersion } from "../../gateway/evaluators/contract";
import type { EvalChoices } from "../evals/form";
import { metricName } from "../evals/words";
import { type Frame, Screen } from "../layout";
import { modelOptions } from "../ui/capabilities";
import { fieldsOf, type Problems, posts } from "../ui/fields";
import { EmptyState } from "../ui/parts";
import { Estimate, type EstimateProps } from "./estimate";
import { NUMBERS, type RunForm } from "./form";
import { RUNS } from "./run";

export interface NewRunPageProps extends Frame {
  form: RunForm;
  choices: EvalChoices;
  /** Idempotency key: submitting the form twice starts only one run. */
  once: string;
  estimate: EstimateProps;
  problems?: Problems;
}

/** The form for a run: its questions, answers, scoring and settings. */
export const NewRunPage = ({ form, choices, once, estimate, problems, ...frame }: NewRunPageProps) => (
  <Screen
    {...frame}
    title="New run"
    kind="wide"
    trail={[RUNS]}
    problems={problems}
    note="Answer and score the samples of a dataset."
  >
    {choices.datasets.length === 0 ? (
      <EmptyState title="Add a dataset first">
        <p>
          A run needs test questions. <a href="/datasets">Upload a dataset, or add the sample dataset</a>.
        </p>
      </EmptyState>
    ) : (
      <form
        id="new-run"
        class="new-run"
        {...posts("/batch-evals", "#main", "outerMorph")}
        hx-disable="find button"
        novalidate
      >
        <input type="hidden" name="once" value={once} />
        <div class="card form">
          <QuestionFields form={form} choices={choices} problems={problems} />
          <AnswerFields form={form} choices={choices} problems={problems} />
          <ScoringFields form={form} choices={choices} problems={problems} />
          <SettingFields form={form} problems={problems} />
        </div>
        <aside class="estimate-side" aria-label="Estimate and start">
          <Estimate {...estimate} />
          <div class="form-end">
            <button type="submit">Start run</button>
            <button type="submit" class="secondary" formaction="/batch-evals/check" hx-post="/batch-evals/check">
              Check
            </button>
            <a href="/batch-evals">Cancel</a>
          </div>
        </aside>
      </form>
    )}
  </Screen>
);

interface PartProps {
  form: RunForm;
  choices: EvalChoices;
  problems?: Problems;
}

const fieldsWith = (form: RunForm, problems: Problems | undefined) => {
  const { text, ...others } = fieldsOf(form, problems);
  const numeric = (name: keyof typeof NUMBERS, hint?: string) =>
    text(name, NUMBERS[name].label, {
      hint,
      inputmode: "isFraction" in NUMBERS[name] ? "decimal" : "numeric",
      autocomplete: "off",
    });
  return { text, numeric, ...others };
};

const QuestionFields = ({ form, choices, problems }: PartProps) => {
  const { numeric, select } = fieldsWith(form, problems);
  const datasets = choices.datasets.map(({ id, name }) => ({ value: id, label: name }));
  return (
    <fieldset class="fields">
      <legend>1. Questions</legend>
      {select("dataset", "Dataset", [{ value: "", label: "Choose a dataset" }, ...datasets])}
      <div class="field-row">
        {numeric("revision", "Leave blank for the latest")}
        {numeric("limit", "Leave blank for all. A limit takes a random subset")}
      </div>
      <div
        id="sample-tags"
        class="fields"
        hx-get="/batch-evals/tags"
        hx-trigger="change from:#dataset"
        hx-include="#dataset, #tags, [name='tag']"
        hx-swap="innerHTML"
        data-background
      >
        <TagFields form={form} dataset={choices.datasets.find(({ id }) => id === form.dataset)} problems={problems} />
      </div>
    </fieldset>
  );
};

/** Maximum number of tags that are offered. */
const MAX_TAGS = 100;

/** The tags of the chosen dataset, and a field for tags that are not offered, such as those of an earlier revision. */
export const TagFields = ({
  form,
  dataset,
  problems,
}: Omit<PartProps, "choices"> & { dataset: Dataset | undefined }) => {
  const { text, choice } = fieldsWith(form, problems);
  const known = dataset?.tags.slice(0, MAX_TAGS) ?? [];
  const offered = [...new Set([...known, ...form.tag])];
  const isComplete = dataset !== undefined && dataset.tag_count <= known.length;
  const label = "Only samples with these tags";
  return (
    <>
      {offered.length > 0 && (
        <div class="offered-tags">
          {choice("tag", label, "checkbox", offered, { hint: "Choose none to use all samples" })}
        </div>
      )}
      {(!isComplete || form.tags !== "") &&
        text("tags", offered.length > 0 ? "Other tags" : label, {
          hint: "Separate tags with commas",
          autocomplete: "off",
        })}
    </>
  );
};

const AnswerFields = ({ form, choices, problems }: PartProps) => {
  const { numeric, select, choice } = fieldsWith(form, problems);
  const models = modelOptions(choices.models);
  const hasIndex = choices.indexes.length > 0;
  return (
    <fieldset class="fields">
      <legend>2. Answers</legend>
      {choice("kind", "Answers come from", "radio", [
        { value: "chat", label: "A model" },
        ...(hasIndex
          ? [{ value: "rag", label: "A model with documents", hint: "Answers from passages in an index." }]
          : []),
        { value: "stored", label: "The dataset", hint: "Scores the stored outputs. No model is called." },
      ])}
      <div class="answered fields">
        {hasIndex && (
          <div class="searched">
            {select("index", "Documents", [
              { value: "", label: "Choose an index" },
              ...choices.indexes.map(({ id, name }) => ({ value: id, label: name })),
            ])}
          </div>
        )}
        <div class="field-row">
          {select("model", "Chat model", models)}
          {select("prompt", "Prompt", [{ value: "", label: "None: send the question unchanged" }, ...choices.prompts])}
        </div>
        <div class="field-row">
          {numeric("maxTokens")}
          {numeric("temperature")}
          <div class="unsearched">{numeric("topP")}</div>
        </div>
      </div>
    </fieldset>
  );
};

const ScoringFields = ({ form, choices, problems }: PartProps) => {
  const { area, choice } = fieldsWith(form, problems);
  const options = choices.evaluators.map(toOption);
  return (
    <fieldset class="fields">
      <legend>3. Scoring</legend>
      {choice("evaluators", "Evaluators", "checkbox", options, { hint: "An answer passes if all of them pass it." })}
      <details
        class="inner-fold"
        open={
          form.shadows.length + form.criteria.length > 0 ||
          form.own !== "" ||
          (problems?.criteria ?? problems?.own) !== undefined
        }
      >
        <summary>Shadow evaluators and criteria</summary>
        <div class="fields">
          {choice(
            "shadows",
            "Shadow evaluators",
            "checkbox",
            options.map(({ value, label }) => ({ value, label })),
            { hint: "Score for comparison only. They are excluded from the verdict." },
          )}
          {choice(
            "criteria",
            "Built-in criteria",
            "checkbox",
            BUILT_IN_CRITERIA.map(({ name, description }) => ({
              value: name,
              label: metricName(name),
              hint: description,
            })),
            { hint: "Choose none and write none to use each evaluator’s own criteria." },
          )}
          {area("own", "Your own criteria", {
            hint: (
              <>
                For a judge, one per line: <code>polite: Is the answer polite?</code> For anything but yes or no, add a
                scale: <code>depth (1 to 5, 4 or more passes): How thorough is the answer?</code>
              </>
            ),
            spellcheck: "true",
          })}
        </div>
      </details>
    </fieldset>
  );
};

const toOption = ({ name, version, kind, description, judge }: EvaluatorVersion) => ({
  value: `${name}@${version}`,
  label: `${name}@${version}`,
  hint: description || (kind === "judge" ? `Asks the model ${judge?.model}.` : "Does not use a model."),
});

const SettingFields = ({ form, problems }: Pick<PartProps, "form" | "problems">) => {
  const { text, numeric } = fieldsWith(form, problems);
  return (
    <fieldset class="fields">
      <legend>4. Run settings</legend>
      <div class="field-row">
        {numeric("repeats", "Use more than 1 to see how much answers vary")}
        {numeric("seed", "The same seed and settings give the same answers")}
      </div>
      <div class="field-row">
        {numeric("concurrency", "Reduced automatically while nodes are busy")}
        {numeric("errors", "Leave blank for no limit")}
      </div>
      <div class="field-row">
        {text("name", "Name of the run", {
          hint: "Leave blank to use the names of the dataset and model",
          maxlength: 200,
          autocomplete: "off",
        })}
        {text("labels", "Tags of the run", { hint: "Separate tags with commas", autocomplete: "off" })}
      </div>
    </fieldset>
  );
};
