import { textOfInput } from "../../gateway/datasets/content";
import type { Dataset } from "../../gateway/datasets/contract";
import type { EvaluatorVersion } from "../../gateway/evaluators/contract";
import { Alerts, type Frame, Heading, Shell } from "../layout";
import { ChoiceField, type Problems, SelectField, TextAreaField, TextField } from "../ui/fields";
import { count } from "../ui/time";
import type { ChosenSample, EvalForm } from "./form";

/** The choices in the form. */
export interface EvalChoices {
  models: readonly { id: string; isDefault: boolean }[];
  /** `name@version` */
  prompts: readonly string[];
  evaluators: readonly EvaluatorVersion[];
  /** Shadow version of each active version, both as `name@version`. */
  shadows: ReadonlyMap<string, string>;
  datasets: readonly Dataset[];
}

interface NewEvalPageProps extends Frame {
  form: EvalForm;
  choices: EvalChoices;
  /** Left out: the reader types the sample. */
  sample?: ChosenSample;
  problems?: Problems;
}

const MAX_TEXT = 100_000;

/**
 * The form for one evaluation: a sample, typed or from a dataset, the model that answers it, and the evaluators.
 * Loading a sample hides the typed one, and leaving it shows the typed one again.
 */
export const NewEvalPage = ({ form, choices, sample, problems = {}, ...frame }: NewEvalPageProps) => {
  return (
    <Shell {...frame} title="Evaluate" problems={problems}>
      <Heading title="Evaluate" note="Score one answer: the model’s or your own." />
      <Alerts />
      {choices.datasets.length > 0 && <FromDataset choices={choices} form={form} problems={problems} />}
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
        <div id="sample">{sample && <Chosen {...sample} form={form} />}</div>
        <div class="typed-sample">
          <TypedSample form={form} problems={problems} />
        </div>
        <Answering form={form} choices={choices} problems={problems} />
        <ChoiceField
          name="evaluators"
          legend="Evaluators"
          type="checkbox"
          value={form.evaluators}
          problem={problems.evaluators}
          options={choices.evaluators.map((version) => toOption(version, choices.shadows))}
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

const toOption = ({ name, version, kind, description, judge }: EvaluatorVersion, shadows: EvalChoices["shadows"]) => {
  const reference = `${name}@${version}`;
  const what = description || (kind === "judge" ? `Asks the model ${judge?.model}.` : "Uses no model.");
  const shadow = shadows.get(reference);
  return {
    value: reference,
    label: reference,
    hint: shadow ? `${what} ${shadow} is its shadow: scored, but excluded from the verdict.` : what,
  };
};

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
      hint="One per line. An answer that says the same as one of them is correct"
      value={form.references}
      problem={problems.references}
      attributes={{ maxlength: MAX_TEXT }}
    />
    <TextAreaField
      name="contexts"
      label="Contexts"
      hint="Source texts the answer must rely on. Separate them with a line of ---"
      value={form.contexts}
      rows={5}
      attributes={{ maxlength: MAX_TEXT }}
    />
    <TextAreaField
      name="output"
      label="Answer"
      hint="Leave blank to have the model answer"
      value={form.output}
      attributes={{ maxlength: MAX_TEXT }}
    />
  </>
);

/** Replaces the chosen sample only, so that the typed one is kept. */
const INTO_SAMPLE = { "hx-target": "#sample", "hx-select": "#sample", "hx-swap": "outerHTML" };

const Chosen = ({ title, sample, fields, others, form }: ChosenSample & { form: EvalForm }) => {
  const { input, references = [], contexts = [] } = sample;
  return (
    <section class="chosen" aria-labelledby="chosen-title">
      <h2 id="chosen-title">{title}</h2>
      {Object.entries(fields).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      <p class="verbatim">{textOfInput(input)}</p>
      <p class="hint">
        {references.length > 0 ? `Reference answers: ${references.join(" · ")}` : "No reference answer"}
        {contexts.length > 0 && `; ${count(contexts.length, "context")}`}
      </p>
      <p class="hint">
        {others && (
          <>
            <a href={others}>Choose another sample</a> or{" "}
          </>
        )}
        <a href="/evals/new" hx-get="/evals/new" {...INTO_SAMPLE}>
          {others ? "enter your own question" : "Enter your own question"}
        </a>
      </p>
      {sample.output != null && (
        <ChoiceField
          name="answer"
          legend="Answer"
          type="radio"
          value={[form.answer]}
          options={[
            { value: "given", label: "Score the sample’s answer", hint: "Uses no model." },
            { value: "model", label: "Have the model answer", hint: "Uses the model and settings below." },
          ]}
        />
      )}
    </section>
  );
};

interface AnsweringProps {
  form: EvalForm;
  choices: EvalChoices;
  problems: Problems;
}

const Answering = ({ form, choices, problems }: AnsweringProps) => (
  <fieldset class="fields">
    <legend>Model</legend>
    <div class="field-row">
      <SelectField
        name="model"
        label="Chat model"
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
          { value: "", label: "None: send the question as it is" },
          ...choices.prompts.map((name) => ({ value: name, label: name })),
        ]}
      />
    </div>
    <div class="field-row">
      <TextField
        name="maxTokens"
        label="Maximum length (tokens)"
        value={form.maxTokens}
        problem={problems.maxTokens}
        attributes={{ inputmode: "numeric" }}
      />
      <TextField
        name="seed"
        label="Seed"
        hint="The same seed and settings give the same answer"
        value={form.seed}
        problem={problems.seed}
        attributes={{ inputmode: "numeric" }}
      />
    </div>
  </fieldset>
);

/** A separate form that loads a sample into the page. */
const FromDataset = ({ choices, form, problems }: { choices: EvalChoices; form: EvalForm; problems: Problems }) => (
  <details class="card fold" open={problems.key !== undefined}>
    <summary>Take a sample from a dataset</summary>
    <form class="form" method="get" action="/evals/new" hx-get="/evals/new" {...INTO_SAMPLE}>
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
        hint="Leave blank for the first sample"
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
