import type { Run } from "../../gateway/evals/contract";
import { ChoiceField, SelectField } from "../ui/fields";

interface RecomputeFormProps {
  run: Run;
  evaluators: readonly string[];
  /** Whether the reader may give scores a say; else they stand alongside. */
  mayDecide: boolean;
}

/** Scores the stored outputs again: nothing is generated, and no score that is there changes. */
export const RecomputeForm = ({ run, evaluators, mayDecide }: RecomputeFormProps) => (
  <details class="card fold">
    <summary>Score again with another evaluator</summary>
    <form class="form" method="post" action={`/evals/${run.id}/recompute`} data-busy="Scoring…">
      <SelectField
        name="evaluator"
        label="Evaluator"
        hint="The stored answer is scored as it is; scores that are there stay, and only what has no value yet is asked again."
        options={evaluators.map((name) => ({ value: name, label: name }))}
      />
      {mayDecide && (
        <ChoiceField
          name="shadow"
          legend="The new scores"
          type="radio"
          value={["true"]}
          options={[
            { value: "true", label: "Stand alongside", hint: "For a comparison. They are no verdict." },
            {
              value: "false",
              label: "Have a say",
              hint: "They count for the verdict, in place of other versions of the same evaluator.",
            },
          ]}
        />
      )}{" "}
      <div class="form-end">
        <button type="submit">Score again</button>
      </div>
    </form>
  </details>
);
