import type { Dataset } from "../../gateway/datasets/contract";
import type { Run, RunPage } from "../../gateway/evals/contract";
import { hasRole } from "../../gateway/principal";
import { Alerts, type Frame, Heading, Shell } from "../layout";
import { SelectField, TextField } from "../ui/fields";
import { Icon } from "../ui/icon";
import { Filters, Pager } from "../ui/lists";
import { EmptyState } from "../ui/states";
import { Table } from "../ui/table";
import { Time } from "../ui/time";
import { metricName, targetText, valueText, verdictKind } from "./words";

/** What the address of the history holds. */
export interface RunFilter {
  q?: string;
  dataset?: string;
  evaluator?: string;
  verdict?: string;
  after?: string;
}

interface RunsPageProps extends Frame {
  page: RunPage;
  filter: RunFilter;
  datasets: readonly Dataset[];
  evaluators: readonly string[];
}

/** Every evaluation, newest first. */
export const RunsPage = ({ page, filter, datasets, evaluators, ...frame }: RunsPageProps) => {
  const mayEvaluate = frame.principal !== undefined && hasRole(frame.principal.role, "member");
  const mayLabel = frame.principal !== undefined && hasRole(frame.principal.role, "editor");
  const { after: _, ...conditions } = filter;
  const isFiltered = Object.keys(conditions).length > 0;
  const isEmpty = page.data.length === 0;
  return (
    <Shell {...frame} title="Evaluations">
      <Heading title="Evaluations" note="Every score is kept with all that could change it.">
        {mayLabel && !isEmpty && (
          <a class="button secondary" href="/evals/label">
            Label answers
          </a>
        )}
        {mayEvaluate && (
          <a class="button" href="/evals/new">
            <Icon name="plus" /> Evaluate
          </a>
        )}
      </Heading>
      <Alerts />
      {(!isEmpty || isFiltered) && (
        <Filters action="/evals">
          <TextField
            name="q"
            label="Words of the name"
            value={filter.q}
            type="search"
            attributes={{ maxlength: 200 }}
          />
          <SelectField name="dataset" label="Dataset" value={filter.dataset ?? ""} options={optionsOf(datasets)} />
          <SelectField
            name="evaluator"
            label="Evaluator"
            value={filter.evaluator ?? ""}
            options={[{ value: "", label: "Any" }, ...evaluators.map((name) => ({ value: name, label: name }))]}
          />
          <SelectField name="verdict" label="Verdict" value={filter.verdict ?? ""} options={VERDICTS} />
        </Filters>
      )}
      {!isEmpty ? (
        <RunTable runs={page.data} />
      ) : isFiltered ? (
        <EmptyState title={`No evaluation matches ${wordsOf(filter, datasets)}`}>
          <p>
            <a href="/evals">Clear the filters</a>
          </p>
        </EmptyState>
      ) : (
        <FirstRun mayEvaluate={mayEvaluate} />
      )}
      <Pager path="/evals" query={{ ...filter }} next={page.next_cursor} />
    </Shell>
  );
};

const VERDICTS = [
  { value: "", label: "Any" },
  { value: "passed", label: "Passed" },
  { value: "failed", label: "Not passed" },
];

const optionsOf = (datasets: readonly Dataset[]) => [
  { value: "", label: "Any" },
  ...datasets.map(({ id, name }) => ({ value: id, label: name })),
];

const wordsOf = ({ q, dataset, evaluator, verdict }: RunFilter, datasets: readonly Dataset[]): string =>
  [
    q && `“${q}”`,
    dataset && `dataset ${datasets.find(({ id }) => id === dataset)?.name ?? dataset}`,
    evaluator && `evaluator ${evaluator}`,
    verdict && `verdict ${VERDICTS.find(({ value }) => value === verdict)?.label.toLowerCase() ?? verdict}`,
  ]
    .filter(Boolean)
    .join(" + ");

const RunTable = ({ runs }: { runs: readonly Run[] }) => (
  <Table
    caption="Evaluations"
    rows={runs}
    columns={[
      { name: "Name", isLong: true, cell: ({ id, name }) => <a href={`/evals/${id}`}>{name}</a>, note: originText },
      { name: "When", cell: ({ created_at }) => <Time at={new Date(created_at)} /> },
      { name: "Verdict", cell: (run) => <Verdict run={run} /> },
      ...metricsOf(runs).map((metric) => ({
        name: metricName(metric),
        isNumeric: true,
        cell: (run: Run) => scoreText(run, metric),
      })),
    ]}
  />
);

/** Who answered, and which dataset's question. */
const originText = (run: Run): string => {
  const { dataset } = run.pins;
  return dataset ? `${targetText(run)} · ${dataset.name}, revision ${dataset.revision}` : targetText(run);
};

/** Criteria by which somebody with a say has scored one of these runs. */
const metricsOf = (runs: readonly Run[]): string[] => [
  ...new Set(runs.flatMap(({ statistics }) => statistics.filter(({ shadow }) => !shadow).map(({ metric }) => metric))),
];

/** Of one result its verdict; of many how many passed, and how many nobody could judge. */
const Verdict = ({ run: { passed, progress } }: { run: Run }) => {
  const { total, judged } = progress;
  if (passed === null) return <span class="state off">No verdict</span>;
  if (total > 1) {
    const open = judged < total ? `, ${total - judged} without a verdict` : "";
    return <>{`${Math.round(passed * judged)} of ${judged} passed${open}`}</>;
  }
  return <span class={`state ${verdictKind(passed === 1)}`}>{passed === 1 ? "Passed" : "Not passed"}</span>;
};

/** The mean by the first evaluator with a say. */
const scoreText = ({ statistics }: Run, metric: string): string => {
  const found = statistics.find((statistic) => !statistic.shadow && statistic.metric === metric);
  if (!found) return "";
  return found.mean === null ? "–" : valueText(found.mean);
};

const FirstRun = ({ mayEvaluate }: { mayEvaluate: boolean }) => (
  <EmptyState title="No evaluations yet">
    <p>
      An evaluation asks your model a question, or takes an answer that you have, and scores it: is it correct, do the
      contexts support it, what is made up?
    </p>
    {mayEvaluate ? (
      <div class="form-end centred">
        <a class="button" href="/evals/new">
          Evaluate an answer
        </a>
        <a class="button secondary" href="/datasets">
          Choose a sample from a dataset
        </a>
      </div>
    ) : (
      <p>A member can run one; ask for that role.</p>
    )}
  </EmptyState>
);
