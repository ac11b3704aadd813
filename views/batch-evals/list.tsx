import type { Static } from "@sinclair/typebox";
import type { Dataset } from "../../gateway/datasets/contract";
import type { Run } from "../../gateway/evals/contract";
import type { NumberedPage, NumberedQuery } from "../../gateway/paging";
import { passRateOf } from "../evals/words";
import { type Frame, may, Screen } from "../layout";
import { Fields, fieldsOf, text } from "../ui/fields";
import { Filters, List, NoMatch, withQuery } from "../ui/lists";
import { Ago, ButtonLink, EmptyState, number } from "../ui/parts";
import { percent } from "../ui/quantities";
import { intervalText, isOpen, progressText, STATE_LOOKS, STATE_WORDS, targetName } from "./words";

/** Query string of the list. */
export const RunListQuery = Fields({
  q: text(200),
  dataset: text(100),
  evaluator: text(100),
  state: text(20),
  tag: text(64),
  /** `when`, `name` or `verdict`; with a leading `-` descending. */
  sort: text(20),
  page: text(10),
});
export type RunListQuery = Static<typeof RunListQuery>;

interface RunsPageProps extends Frame {
  page: NumberedPage<Run>;
  sort: NumberedQuery<string>["sort"];
  query: RunListQuery;
  datasets: readonly Dataset[];
  evaluators: readonly string[];
  /** Names of keys by id. */
  keyNames: ReadonlyMap<string, string>;
  notice: string;
}

/** Every run over a dataset, newest first. */
export const RunsPage = ({ page, sort, query, datasets, evaluators, keyNames, ...frame }: RunsPageProps) => {
  const { page: _, sort: chosenSort, ...filter } = query;
  const isFiltered = Object.keys(filter).length > 0;
  const isEmpty = page.data.length === 0;
  const mayStart = may(frame, "editor");
  const { text: field, select } = fieldsOf(filter);
  const isLive = page.data.some(isOpen);
  return (
    <Screen
      {...frame}
      title="Runs"
      note="Each run evaluates a dataset: every sample is answered and scored."
      actions={mayStart && <ButtonLink href="/batch-evals/new" icon="plus" text="New run" />}
      refreshSeconds={isLive ? 5 : undefined}
    >
      {(!isEmpty || isFiltered) && (
        <Filters action="/batch-evals">
          {chosenSort && <input type="hidden" name="sort" value={chosenSort} />}
          {field("q", "Search names", { type: "search", maxlength: 200 })}
          {select("dataset", "Dataset", [ANY, ...datasets.map(({ id, name }) => ({ value: id, label: name }))])}
          {select("evaluator", "Evaluator", [ANY, ...evaluators])}
          {select("state", "State", [ANY, ...STATES])}
          {field("tag", "Tag", { maxlength: 64 })}
        </Filters>
      )}
      <div id="runs" {...(isLive && updatedFrom(withQuery("/batch-evals", { ...query })))}>
        <List
          page={page}
          noun={isFiltered ? "matching run" : "run"}
          caption="Runs"
          path="/batch-evals"
          query={query}
          sort={sort}
          columns={[
            {
              name: "Compare",
              cell: (run) => <CompareBox run={run} id={`compare-${run.id}`} form="compare-runs" />,
            },
            {
              name: "Name",
              sortKey: "name",
              isLong: true,
              cell: ({ id, name }) => <a href={`/batch-evals/${id}`}>{name}</a>,
              note: originText,
            },
            {
              name: "Pass rate",
              sortKey: "verdict",
              isNumeric: true,
              cell: (run) => rateText(run),
              note: (run) => intervalText(passRateOf(run)),
            },
            {
              name: "Errors",
              isNumeric: true,
              cell: ({ id, progress: { errors } }) =>
                errors === 0 ? (
                  0
                ) : (
                  <a href={withQuery(`/batch-evals/${id}/samples`, { outcome: "error" })}>{number(errors)}</a>
                ),
            },
            { name: "State", cell: (run) => <StateMark run={run} />, note: stateNote },
            {
              name: "Started",
              sortKey: "when",
              cell: ({ created_at }) => <Ago at={created_at} />,
              note: ({ created_by }) => `by ${keyNames.get(created_by) ?? created_by}`,
            },
          ]}
        >
          {isFiltered ? (
            <NoMatch
              title={`No run matches ${wordsOf(filter, datasets)}`}
              href="/batch-evals"
              link="Clear the filters"
            />
          ) : (
            <FirstRun mayStart={mayStart} />
          )}
        </List>
      </div>
      {page.total > 1 && (
        <form id="compare-runs" class="compare-runs" method="get" action="/batch-evals/compare">
          <button type="submit" class="secondary">
            Compare selected runs
          </button>
        </form>
      )}
    </Screen>
  );
};

/** Updates a region while a run on it is in progress. Focus, scroll position and open boxes are kept. */
const updatedFrom = (address: string) => ({
  "hx-get": address,
  "hx-trigger": "every 2s",
  "hx-select": "#runs",
  "hx-swap": "outerMorph",
  "data-poll": true,
});

interface CompareBoxProps {
  run: Pick<Run, "id" | "name">;
  /** Further attributes. */
  [attribute: string]: unknown;
}

/** Selects a run for a comparison. */
export const CompareBox = ({ run: { id, name }, ...attributes }: CompareBoxProps) => (
  <input type="checkbox" name="run" value={id} aria-label={`Compare ${name}`} {...attributes} />
);

export const StateMark = ({ run: { state } }: { run: Pick<Run, "state"> }) => (
  <span class={`state ${STATE_LOOKS[state]}`}>{STATE_WORDS[state]}</span>
);

const ANY = { value: "", label: "Any" };
const STATES = Object.entries(STATE_WORDS).map(([value, label]) => ({ value, label }));

const wordsOf = ({ q, dataset, evaluator, state, tag }: RunListQuery, datasets: readonly Dataset[]): string =>
  [
    q && `“${q}”`,
    dataset && `dataset ${datasets.find(({ id }) => id === dataset)?.name ?? dataset}`,
    evaluator && `evaluator ${evaluator}`,
    state && `state ${state}`,
    tag && `tag ${tag}`,
  ]
    .filter(Boolean)
    .join(" and ");

const originText = (run: Run): string => {
  const { dataset } = run.pins;
  return dataset ? `${targetName(run)} · ${dataset.name}, revision ${dataset.revision}` : targetName(run);
};

const stateNote = (run: Run): string | undefined => {
  const { done, total } = run.progress;
  return run.state === "completed" ? `${number(total)} results` : done < total ? progressText(run) : undefined;
};

const rateText = (run: Run): string => {
  const rate = passRateOf(run);
  return rate ? percent(rate.value) : "–";
};

const FirstRun = ({ mayStart }: { mayStart: boolean }) => (
  <EmptyState title="No runs yet">
    <p>
      In a run, a model answers every sample of a dataset, and evaluators score the answers. You see the pass rate, how
      certain it is, and which samples failed and why.
    </p>
    {mayStart ? (
      <div class="form-end centred">
        <ButtonLink href="/batch-evals/new" text="Start a run" />
        <ButtonLink href="/datasets" text="Add a dataset first" look="button secondary" />
      </div>
    ) : (
      <p>You need the editor role to start runs. Ask an admin for it.</p>
    )}
  </EmptyState>
);
