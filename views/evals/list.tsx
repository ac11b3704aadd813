import type { Static } from "@sinclair/typebox";
import type { Dataset } from "../../gateway/datasets/contract";
import type { Run } from "../../gateway/evals/contract";
import type { RunningEval } from "../../gateway/evals/running";
import { inRunOrder } from "../../gateway/evals/verdict";
import type { NumberedPage, NumberedQuery } from "../../gateway/paging";
import { type Frame, may, Screen } from "../layout";
import { Fields, fieldsOf, text } from "../ui/fields";
import { Filters, List, NoMatch, withQuery } from "../ui/lists";
import { ButtonLink, EmptyState, Time } from "../ui/parts";
import { RunningEvaluations } from "./evaluating";
import { ValuesByEvaluator } from "./scores";
import { listText, metricName, outcomeText, targetText, valueText, verdictKind } from "./words";

/** Query string of the history. */
export const RunListQuery = Fields({
  q: text(200),
  dataset: text(100),
  evaluator: text(100),
  verdict: text(10),
  /** `when`, `name` or `verdict`; with a leading `-` descending. */
  sort: text(20),
  page: text(10),
});
export type RunListQuery = Static<typeof RunListQuery>;

interface RunsPageProps extends Frame {
  page: NumberedPage<Run>;
  /** The user's evaluations that have no result yet. */
  running: readonly RunningEval[];
  sort: NumberedQuery<string>["sort"];
  query: RunListQuery;
  datasets: readonly Dataset[];
  evaluators: readonly string[];
}

/** Every evaluation, newest first. */
export const RunsPage = ({ page, running, sort, query, datasets, evaluators, ...frame }: RunsPageProps) => {
  const mayEvaluate = may(frame, "member");
  const { page: _, sort: chosenSort, ...filter } = query;
  const isFiltered = Object.keys(filter).length > 0;
  const isEmpty = page.data.length === 0;
  const { text: field, select } = fieldsOf(filter);
  return (
    <Screen
      {...frame}
      title="Evaluations"
      note="Each result records the model, data and settings behind it."
      actions={
        <>
          {may(frame, "editor") && !isEmpty && (
            <ButtonLink href="/evals/label" text="Label answers" look="button secondary" />
          )}
          {mayEvaluate && <ButtonLink href="/evals/new" icon="plus" text="Evaluate" />}
        </>
      }
    >
      {(!isEmpty || isFiltered) && (
        <Filters action="/evals">
          {chosenSort && <input type="hidden" name="sort" value={chosenSort} />}
          {field("q", "Search names", { type: "search", maxlength: 200 })}
          {select("dataset", "Dataset", [ANY, ...datasets.map(({ id, name }) => ({ value: id, label: name }))])}
          {select("evaluator", "Evaluator", [ANY, ...evaluators])}
          {select("verdict", "Verdict", [ANY, ...VERDICTS])}
        </Filters>
      )}
      <div id="history" {...(running.length > 0 && updatedFrom(withQuery("/evals", { ...query })))}>
        <RunningEvaluations running={running} />
        <List
          page={page}
          noun={isFiltered ? "matching evaluation" : "evaluation"}
          caption="Evaluations"
          path="/evals"
          query={query}
          sort={sort}
          columns={[
            {
              name: "Name",
              sortKey: "name",
              isLong: true,
              cell: ({ id, name }) => <a href={`/evals/${id}`}>{name}</a>,
              note: originText,
            },
            { name: "When", sortKey: "when", cell: ({ created_at }) => <Time at={created_at} /> },
            { name: "Verdict", sortKey: "verdict", cell: (run) => <Verdict run={run} />, note: verdictByText },
            ...metricsOf(page.data).map((metric) => ({
              name: metricName(metric),
              isNumeric: true,
              cell: (run: Run) => <ValuesByEvaluator values={meansOf(run, metric)} />,
            })),
          ]}
        >
          {isFiltered ? (
            <NoMatch
              title={`No evaluation matches ${wordsOf(filter, datasets)}`}
              href="/evals"
              link="Clear the filters"
            />
          ) : (
            <FirstRun mayEvaluate={mayEvaluate} />
          )}
        </List>
      </div>
    </Screen>
  );
};

/** Reloads the list while evaluations are in progress, so that their results appear in it. */
const updatedFrom = (address: string) => ({
  "hx-get": address,
  "hx-trigger": "every 2s",
  "hx-select": "#history",
  "hx-swap": "outerMorph",
  "data-poll": true,
});

const ANY = { value: "", label: "Any" };
const VERDICTS = [
  { value: "passed", label: "Passed" },
  { value: "failed", label: "Not passed" },
];

const wordsOf = ({ q, dataset, evaluator, verdict }: RunListQuery, datasets: readonly Dataset[]): string =>
  [
    q && `“${q}”`,
    dataset && `dataset ${datasets.find(({ id }) => id === dataset)?.name ?? dataset}`,
    evaluator && `evaluator ${evaluator}`,
    verdict && `verdict ${VERDICTS.find(({ value }) => value === verdict)?.label.toLowerCase() ?? verdict}`,
  ]
    .filter(Boolean)
    .join(" and ");

/** The model that answered, or "given answer", and the dataset. */
const originText = (run: Run): string => {
  const { dataset } = run.pins;
  return dataset ? `${targetText(run)} · ${dataset.name}, revision ${dataset.revision}` : targetText(run);
};

/** Statistics that count towards the verdict. Evaluators have the same order in every row. */
const countedOf = ({ statistics }: Run) =>
  statistics.filter(({ shadow }) => !shadow).toSorted((a, b) => (a.evaluator < b.evaluator ? -1 : 1));

/**
 * Criteria that count towards the verdicts of these runs: first built-in criteria in their order, then others by name.
 */
const metricsOf = (runs: readonly Run[]): string[] => {
  const counted = runs.flatMap(countedOf).toSorted((a, b) => (a.metric < b.metric ? -1 : 1));
  return [...new Set(inRunOrder(counted, {}).map(({ metric }) => metric))];
};

const verdictByText = (run: Run): string | undefined => {
  const names = [...new Set(countedOf(run).map(({ evaluator }) => evaluator))];
  return names.length === 0 ? undefined : `by ${listText(names)}`;
};

/** The verdict of a single result. For several results: how many passed and how many have no verdict. */
const Verdict = ({ run: { passed, progress } }: { run: Run }) => {
  const { total, judged } = progress;
  if (passed === null) return <span class="state off">No verdict</span>;
  if (total > 1) {
    const open = judged < total ? `, ${total - judged} without a verdict` : "";
    return <>{`${Math.round(passed * judged)} of ${judged} passed${open}`}</>;
  }
  return <span class={`state ${verdictKind(passed === 1)}`}>{outcomeText(passed === 1)}</span>;
};

const meansOf = (run: Run, metric: string) =>
  countedOf(run)
    .filter((statistic) => statistic.metric === metric)
    .map(({ evaluator, mean }) => ({ evaluator, text: mean === null ? "–" : valueText(mean) }));

const FirstRun = ({ mayEvaluate }: { mayEvaluate: boolean }) => (
  <EmptyState title="No evaluations yet">
    <p>
      An evaluation scores one answer, your model’s or your own: is it correct, do the contexts support it, and is any
      of it made up?
    </p>
    {mayEvaluate ? (
      <div class="form-end centred">
        <ButtonLink href="/evals/new" text="Evaluate an answer" />
        <ButtonLink href="/datasets" text="Choose a sample from a dataset" look="button secondary" />
      </div>
    ) : (
      <p>You need the member role to evaluate answers. Ask an admin for it.</p>
    )}
  </EmptyState>
);
