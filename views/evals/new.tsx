import type { Dataset, Sample } from "../../gateway/datasets/contract";
import type { EvaluatorVersion } from "../../gateway/evaluators/contract";
import { textOfInput } from "../datasets/text";
import { Alerts, type Frame, Heading, Shell } from "../layout";
import { ChoiceField, ErrorSummary, type Problems, SelectField, TextAreaField, TextField } from "../ui/fields";
import { withQuery } from "../ui/lists";
import type { EvalForm } from "./form";

/** What can be chosen. */
export interface EvalChoices {
  models: readonly { id: string; isDefault: boolean }[];
  /** `name@version` */
  prompts: readonly string[];
  evaluators: readonly EvaluatorVersion[];
  datasets: readonly Dataset[];
}

interface NewEvalPageProps extends Frame {
  form: EvalForm;
  choices: EvalChoices;
  /** The sample of a dataset that is to be scored; left out: one that is typed. */
  sample?: { dataset: Dataset; revision: number; sample: Sample };
  problems?: Problems;
}

const MAX_TEXT = 100_000;

/** One sample, typed or out of a dataset, and how it is to be answered and scored. */
export const NewEvalPage = ({ form, choices, sample, problems = {}, ...frame }: NewEvalPageProps) => {
  const isRefused = Object.keys(problems).length > 0;
  return (
    <Shell {...frame} title={isRefused ? "Error: Evaluate" : "Evaluate"} scripts={["hx-sse.js"]}>
      <ErrorSummary problems={problems} />
      <Heading title="Evaluate" note="One question: the model answers it, or you give the answer, and it is scored." />
      <Alerts />
      {!sample && choices.datasets.length > 0 && <FromDataset choices={choices} form={form} problems={problems} />}
      <form
        class="card form wide"
        method="post"
        action="/evals"
        hx-post="/evals"
        hx-target="#evaluating"
        hx-swap="innerMorph"
        hx-disable="find button"
        novalidate
      >
        {sample ? <ChosenSample {...sample} /> : <TypedSample form={form} problems={problems} />}
        <Answering form={form} choices={choices} problems={problems} hasOutput={sample?.sample.output != null} />
        <ChoiceField
          name="evaluators"
          legend="Scored by"
          type="checkbox"
          value={form.evaluators}
          problem={problems.evaluators}
          options={choices.evaluators.map(toOption)}
        />
        <div class="form-end">
          <button type="submit">Evaluate</button>
          <a href="/evals">Cancel</a>
        </div>
        <div id="evaluating"></div>
      </form>
    </Shell>
  );
};

const toOption = ({ name, version, state, kind, description, judge }: EvaluatorVersion) => ({
  value: `${name}@${version}`,
  label: `${name}@${version}`,
  hint: [
    description || (kind === "judge" ? `Asks the model ${judge?.model}.` : "Without a model."),
    state === "shadow" && "Scores alongside, without a say.",
  ]
    .filter(Boolean)
    .join(" "),
});

const TypedSample = ({ form, problems }: { form: EvalForm; problems: Problems }) => (
  <>
    <TextAreaField
      name="input"
      label="Question"
      value={form.input}
      problem={problems.input}
      attributes={{ maxlength: MAX_TEXT }}
    />
    <TextAreaField
      name="references"
      label="Reference answers"
      hint="What counts as correct, one on a line"
      value={form.references}
      problem={problems.references}
      attributes={{ maxlength: MAX_TEXT }}
    />
    <TextAreaField
      name="contexts"
      label="Contexts"
      hint="Texts that the answer has to stand on; a line with --- parts one from the next"
      value={form.contexts}
      rows={5}
      attributes={{ maxlength: MAX_TEXT }}
    />
    <TextAreaField
      name="output"
      label="Answer"
      hint="Empty: the model writes one"
      value={form.output}
      attributes={{ maxlength: MAX_TEXT }}
    />
  </>
);

const ChosenSample = ({ dataset, revision, sample }: NonNullable<NewEvalPageProps["sample"]>) => (
  <section class="chosen" aria-labelledby="chosen-title">
    <h2 id="chosen-title">
      {sample.key} of {dataset.name}, revision {revision}
    </h2>
    <input type="hidden" name="dataset" value={dataset.id} />
    <input type="hidden" name="revision" value={String(revision)} />
    <input type="hidden" name="key" value={sample.key} />
    <p class="verbatim">{textOfInput(sample.input)}</p>
    <p class="hint">
      {sample.references.length > 0 ? `Counts as correct: ${sample.references.join(" · ")}` : "Without references"}
      {sample.contexts.length > 0 && `; ${sample.contexts.length} context${sample.contexts.length === 1 ? "" : "s"}`}
    </p>
    <p class="hint">
      <a href={withQuery(`/datasets/${dataset.id}`, { revision: String(revision) })}>Another sample</a> or{" "}
      <a href="/evals/new">a question of your own</a>
    </p>
  </section>
);

interface AnsweringProps {
  form: EvalForm;
  choices: EvalChoices;
  problems: Problems;
  /** The sample has its answer: nothing is generated. */
  hasOutput: boolean;
}

const Answering = ({ form, choices, problems, hasOutput }: AnsweringProps) =>
  hasOutput ? (
    <>
      <p class="hint">The sample holds an answer: it is scored as it is.</p>
      <input type="hidden" name="maxTokens" value={form.maxTokens} />
      <input type="hidden" name="seed" value={form.seed} />
    </>
  ) : (
    <fieldset class="fields">
      <legend>Who answers</legend>
      <div class="field-row">
        <SelectField
          name="model"
          label="Model"
          value={form.model}
          problem={problems.model}
          options={choices.models.map(({ id, isDefault }) => ({
            value: id,
            label: isDefault ? `${id} (default)` : id,
          }))}
        />
        <SelectField
          name="prompt"
          label="Prompt"
          value={form.prompt}
          problem={problems.prompt}
          options={[
            { value: "", label: "None: the question as it is" },
            ...choices.prompts.map((name) => ({ value: name, label: name })),
          ]}
        />
      </div>
      <div class="field-row">
        <TextField
          name="maxTokens"
          label="Longest answer, in tokens"
          value={form.maxTokens}
          problem={problems.maxTokens}
          attributes={{ inputmode: "numeric" }}
        />
        <TextField
          name="seed"
          label="Seed"
          hint="The same seed gives the same answer"
          value={form.seed}
          problem={problems.seed}
          attributes={{ inputmode: "numeric" }}
        />
      </div>
    </fieldset>
  );

/** A form of its own: it loads the sample into the page, and nothing is scored yet. */
const FromDataset = ({ choices, form, problems }: { choices: EvalChoices; form: EvalForm; problems: Problems }) => (
  <details class="card fold" open={problems.key !== undefined}>
    <summary>Take a sample from a dataset</summary>
    <form class="form" method="get" action="/evals/new">
      <SelectField
        name="dataset"
        id="from-dataset"
        label="Dataset"
        value={form.dataset}
        options={choices.datasets.map(({ id, name }) => ({ value: id, label: name }))}
      />
      <TextField
        name="key"
        label="Key of the sample"
        hint="As it stands in the dataset; empty: the first one"
        value={form.key}
        problem={problems.key}
        attributes={{ maxlength: 200, autocomplete: "off" }}
      />
      <div class="form-end">
        <button type="submit" class="secondary">
          Load sample
        </button>
      </div>
    </form>
  </details>
);
