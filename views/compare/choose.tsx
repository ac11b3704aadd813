import type { Run } from "../../gateway/evals/contract";
import { CompareBox, StateMark } from "../batch-evals/list";
import { RUNS } from "../batch-evals/run";
import { passRateOf } from "../evals/words";
import { type Frame, Screen } from "../layout";
import { Table } from "../ui/lists";
import { Ago, EmptyState } from "../ui/parts";
import { percent } from "../ui/quantities";

interface ChooseRunsPageProps extends Frame {
  runs: readonly Run[];
  /** Ids that are selected at first. */
  chosen: readonly string[];
  /** Why the chosen runs can't be compared. */
  problem?: string;
}

/** The choice of runs to compare. */
export const ChooseRunsPage = ({ runs, chosen, problem, ...frame }: ChooseRunsPageProps) => (
  <Screen
    {...frame}
    title="Compare runs"
    trail={[RUNS]}
    note="Choose two to five runs of one dataset. The oldest is the baseline."
    problems={problem === undefined ? undefined : { runs: problem }}
  >
    {runs.length < 2 ? (
      <EmptyState title="Not enough runs to compare">
        <p>
          Two runs of the same dataset are needed. <a href="/batch-evals/new">Start another run</a>.
        </p>
      </EmptyState>
    ) : (
      <form method="get" action="/batch-evals/compare" class="choose-runs">
        <Table
          caption="Runs to compare"
          rows={runs}
          columns={[
            {
              name: "Compare",
              cell: (run) => (
                <CompareBox run={run} id={run === runs[0] ? "runs" : undefined} checked={chosen.includes(run.id)} />
              ),
            },
            { name: "Run", isLong: true, cell: ({ name }) => name, note: ({ pins: { dataset } }) => dataset?.name },
            {
              name: "Pass rate",
              isNumeric: true,
              cell: (run) => {
                const rate = passRateOf(run);
                return rate ? percent(rate.value) : "–";
              },
            },
            { name: "State", cell: (run) => <StateMark run={run} /> },
            { name: "Started", cell: ({ created_at }) => <Ago at={created_at} /> },
          ]}
        />
        <div class="form-end">
          <button type="submit">Compare runs</button>
        </div>
      </form>
    )}
  </Screen>
);
