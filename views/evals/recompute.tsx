import type { Run } from "../../gateway/evals/contract";
import { ChoiceField, SelectField } from "../ui/fields";

interface RecomputeFormProps {
  run: Run;
  evaluators: readonly string[];
  /** Whether the new scores may count for the verdict; if not, they are for comparison only. */
  mayDecide: boolean;
}

/** Scores the stored answers again. Nothing is generated, and existing scores do not change. */
export const RecomputeForm = ({ run, evaluators, mayDecide }: RecomputeFormProps) => (
  <details class="card fold">
    <summary>Score again with another evaluator</summary>
    <form class="form" method="post" action={`/evals/${run.id}/recompute`} data-busy="Scoring…">
      <SelectField
        name="evaluator"
        label="Evaluator"
        hint="Scores the stored answer. Existing scores stay, and only criteria without a value are scored."
        options={evaluators.map((name) => ({ value: name, label: name }))}
      />
      {mayDecide && (
        <ChoiceField
          name="shadow"
          legend="The new scores"
          type="radio"
          value={["true"]}
          options={[
            { value: "true", label: "Comparison only", hint: "Scored, but excluded from the verdict." },
            {
              value: "false",
              label: "Use for the verdict",
              hint: "They replace the scores by other versions of the same evaluator.",
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
