import { textOfInput } from "../../gateway/datasets/content";
import type { EvaluatorVersion } from "../../gateway/evaluators/contract";
import { type Frame, Screen } from "../layout";
import { modelOptions } from "../ui/capabilities";
import { fieldsOf, type Problems, posts } from "../ui/fields";
import { count } from "../ui/parts";
import { type ChosenSample, type EvalChoices, type EvalForm, MAX_TEXT, NUMBER_LABELS } from "./form";

export interface NewEvalPageProps extends Frame {
  form: EvalForm;
  choices: EvalChoices;
  /** If omitted, the user types the sample. */
  sample?: ChosenSample;
  problems?: Problems;
}

/**
 * The form for one evaluation: a sample, typed or from a dataset, the model that answers it, and the evaluators.
 * Loading a sample hides the typed one; unloading it shows the typed one again.
 */
export const NewEvalPage = ({ form, choices, sample, problems, ...frame }: NewEvalPageProps) => {
  const { text, area, select, choice } = fieldsOf(form, problems);
  const long = { maxlength: MAX_TEXT };
  const models = modelOptions(choices.models);
  return (
    <Screen {...frame} title="Evaluate" problems={problems} note="Score one answer: the model’s or your own.">
      {choices.datasets.length > 0 && <FromDataset choices={choices} form={form} problems={problems} />}
      <form
        class="card form wide"
        {...posts("/evals", "#evaluating", "innerMorph")}
        hx-disable="find button"
        novalidate
      >
        <div id="sample">{sample && <Chosen {...sample} form={form} />}</div>
        <div class="typed-sample">
          {area("input", "Question", { ...long, "data-takes-focus": true })}
          {area("references", "Reference answers", {
            hint: "One per line. The answer is correct if it says the same as any of them",
            ...long,
          })}
          {area("contexts", "Contexts", {
            hint: "Source texts the answer must rely on. Separate them with a line of ---",
            rows: 5,
            ...long,
          })}
          {area("output", "Answer", { hint: "Leave blank to have the model answer", ...long })}
        </div>
        <fieldset class="fields">
          <legend>Model</legend>
          {choices.indexes.length > 0 &&
            select(
              "index",
              "Answer from",
              [
                { value: "", label: "No documents (model only)" },
                ...choices.indexes.map(({ id, name }) => ({ value: id, label: name })),
              ],
              { hint: "With an index, faithfulness is scored against the passages it returns" },
            )}
          <div class="field-row">
            {select("model", "Chat model", models)}
            {select("prompt", "Prompt", [
              { value: "", label: "None: send the question unchanged" },
              ...choices.prompts,
            ])}
          </div>
          <div class="field-row">
            {text("maxTokens", NUMBER_LABELS.maxTokens, { inputmode: "numeric" })}
            {text("seed", NUMBER_LABELS.seed, {
              hint: "The same seed and settings give the same answer",
              inputmode: "numeric",
            })}
          </div>
        </fieldset>
        {choice(
          "evaluators",
          "Evaluators",
          "checkbox",
          choices.evaluators.map((version) => toOption(version, choices.shadows)),
        )}
        <div class="form-end">
          <button type="submit">Evaluate</button>
          <a href="/evals">Cancel</a>
        </div>
        <div id="evaluating"></div>
      </form>
    </Screen>
  );
};

const toOption = ({ name, version, kind, description, judge }: EvaluatorVersion, shadows: EvalChoices["shadows"]) => {
  const reference = `${name}@${version}`;
  const what = description || (kind === "judge" ? `Asks the model ${judge?.model}.` : "Does not use a model.");
  const shadow = shadows.get(reference);
  return {
    value: reference,
    label: reference,
    hint: shadow ? `${what} ${shadow} is its shadow: scored, but excluded from the verdict.` : what,
  };
};

/** Replaces the chosen sample only, so that the typed one is kept. */
const INTO_SAMPLE = { "hx-target": "#sample", "hx-select": "#sample", "hx-swap": "outerHTML" };

const Chosen = ({ title, sample, fields, others, typed, form }: ChosenSample & { form: EvalForm }) => {
  const { input, references = [], contexts = [], expected_tool_calls: calls } = sample;
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
        {calls && `; expected function calls: ${calls.map(({ name }) => name).join(", ") || "none"}`}
      </p>
      <p class="hint">
        {others && (
          <>
            <a href={others}>Choose another sample</a> or{" "}
          </>
        )}
        <a href={typed} hx-get={typed} {...INTO_SAMPLE}>
          {others ? "enter your own question" : "Change the question"}
        </a>
      </p>
      {sample.output != null &&
        fieldsOf(form).choice("answer", "Answer", "radio", [
          { value: "given", label: "Score the sample’s answer", hint: "Does not use a model." },
          { value: "model", label: "Have the model answer", hint: "Uses the model and settings below." },
        ])}
    </section>
  );
};

const FromDataset = ({ choices, form, problems }: Pick<NewEvalPageProps, "choices" | "form" | "problems">) => {
  const { text, select } = fieldsOf(form, problems);
  const datasets = choices.datasets.map(({ id, name }) => ({ value: id, label: name }));
  return (
    <details class="card fold" open={problems?.key !== undefined}>
      <summary>Use a sample from a dataset</summary>
      <form class="form" method="get" action="/evals/new" hx-get="/evals/new" {...INTO_SAMPLE}>
        {select("dataset", "Dataset", datasets, { id: "from-dataset" })}
        {text("key", "Sample key", {
          hint: "Leave blank for the first sample",
          maxlength: 200,
          autocomplete: "off",
        })}
        <div class="form-end">
          <button type="submit" class="secondary">
            Load sample
          </button>
        </div>
      </form>
    </details>
  );
};
