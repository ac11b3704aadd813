import type { Static } from "@sinclair/typebox";
import type { BatchEval, ResultQuery } from "../../gateway/batch-evals/contract";
import type { ResultList } from "../../gateway/batch-evals/results";
import { textOfInput } from "../../gateway/datasets/content";
import { answerText } from "../../gateway/evals/answer-text";
import type { FailureKind, SampleResult } from "../../gateway/evals/contract";
import type { Segment } from "../../gateway/evals/statistics-contract";
import { decidingScores, inRunOrder } from "../../gateway/evals/verdict";
import type { NumberedPage } from "../../gateway/paging";
import { ValuesByEvaluator } from "../evals/scores";
import { capitalized, FAILURE_WORDS, metricName, outcomeText, valueText, verdictKind } from "../evals/words";
import { type Frame, Screen } from "../layout";
import { Fields, fieldsOf, text } from "../ui/fields";
import { Filters, List, NoMatch, withoutEmpty, withQuery } from "../ui/lists";
import { shortKey } from "../ui/parts";
import { latency } from "../ui/quantities";
import { Downloads } from "./downloads";
import { RUNS, RunNote, RunTabs } from "./run";
import { isOpen } from "./words";

/** Query string of the list of samples, and of a sample that was opened from it. */
export const sampleFilter = {
  q: text(200),
  outcome: text(20),
  failure: text(40),
  tag: text(64),
  group: text(200),
  sort: text(20),
};
export const SamplesQuery = Fields({ ...sampleFilter, page: text(10) });
export type SampleFilter = Omit<Static<typeof SamplesQuery>, "page">;

const OUTCOMES: Readonly<Record<string, { label: string; asks: Pick<ResultQuery, "state" | "passed"> }>> = {
  passed: { label: "Passed", asks: { passed: "true" } },
  failed: { label: "Not passed", asks: { passed: "false" } },
  error: { label: "Error", asks: { state: "error" } },
  running: { label: "In progress", asks: { state: "running" } },
  pending: { label: "Waiting", asks: { state: "pending" } },
};
const ORDERS = { dataset: "Dataset order", worst_first: "Worst score first", slowest_first: "Slowest first" };

/** The request to the service. Unknown values of the query string are ignored. */
export const listOf = ({ q, outcome = "", failure = "", tag, group, sort = "" }: SampleFilter): ResultList => ({
  ...(Object.hasOwn(OUTCOMES, outcome) && OUTCOMES[outcome]?.asks),
  ...(Object.hasOwn(FAILURE_WORDS, failure) && { failure: failure as FailureKind }),
  ...(q && { search: q }),
  ...(tag && { tag }),
  ...(group && { group }),
  ...(Object.hasOwn(ORDERS, sort) && { sort: sort as keyof typeof ORDERS }),
});

/** The filter in words: "“rye” and tag prices". */
const wordsOf = ({ q, outcome = "", failure, tag, group }: SampleFilter): string =>
  [
    q && `“${q}”`,
    OUTCOMES[outcome] && `outcome ${OUTCOMES[outcome].label.toLowerCase()}`,
    failure && `failure “${FAILURE_WORDS[failure as FailureKind] ?? failure}”`,
    tag && `tag ${tag}`,
    group && `group ${group}`,
  ]
    .filter(Boolean)
    .join(" and ") || "the filters";

interface SamplesPageProps extends Frame {
  run: BatchEval;
  page: NumberedPage<SampleResult>;
  /** Without empty values. */
  query: Static<typeof SamplesQuery>;
}

/** The results of a run, filtered and sorted. */
export const SamplesPage = ({ run, page, query, ...frame }: SamplesPageProps) => {
  const { page: _, ...filter } = query;
  const path = `/batch-evals/${run.id}/samples`;
  const { sort: __, ...conditions } = filter;
  const isFiltered = Object.keys(conditions).length > 0;
  const { text: field, select } = fieldsOf(filter);
  const counted = (result: SampleResult) => inRunOrder(decidingScores(result.scores), run.pins);
  const judges = new Set(page.data.flatMap(counted).map(({ evaluator }) => evaluator));
  const metrics = new Set(inRunOrder(page.data.flatMap(counted), run.pins).map(({ metric }) => metric));
  const isLive = isOpen(run);
  return (
    <Screen
      {...frame}
      title={`Samples · ${run.name}`}
      heading={run.name}
      kind="wide"
      trail={[RUNS]}
      note={<RunNote run={run} />}
      refreshSeconds={isLive ? 5 : undefined}
    >
      <RunTabs run={run} current="samples" />
      <Filters action={path}>
        {field("q", "Search texts", { type: "search", maxlength: 200 })}
        {select("outcome", "Outcome", [ANY, ...options(OUTCOMES, ({ label }) => label)])}
        {select("failure", "Failure", [ANY, ...options(FAILURE_WORDS, capitalized)])}
        <SegmentField run={run} filter={filter} kind="tag" />
        <SegmentField run={run} filter={filter} kind="group" />
        {select("sort", "Order", options(ORDERS, String))}
      </Filters>
      <div id="samples" {...(isLive && updatedFrom(withQuery(path, { ...query })))}>
        <List
          page={page}
          noun={isFiltered ? "matching result" : "result"}
          caption="Results"
          path={path}
          query={query}
          columns={[
            {
              name: "Sample",
              cell: ({ id, sample_key }) => (
                <a href={withQuery(`${path}/${id}`, { ...filter })}>{shortKey(sample_key)}</a>
              ),
              note: ({ repeat }) => (run.pins.repeats > 1 ? `answer ${repeat + 1}` : undefined),
            },
            { name: "Question", isLong: true, cell: ({ input }) => textOfInput(input) },
            { name: "Answer", isLong: true, cell: ({ output, error }) => answerText(output) || (error?.message ?? "") },
            {
              name: "Outcome",
              cell: (result) => <span class={`state ${outcomeLook(result)}`}>{outcomeOf(result)}</span>,
              note: ({ failure }) => (failure ? FAILURE_WORDS[failure] : undefined),
            },
            ...[...metrics].map((name) => ({
              name: metricName(name),
              isNumeric: true,
              cell: (result: SampleResult) => {
                const values = counted(result)
                  .filter(({ metric }) => metric === name)
                  .map(({ evaluator, value, criterion }) => ({
                    evaluator,
                    text: value === null ? "–" : valueText(value, criterion),
                  }));
                return judges.size > 1 ? <ValuesByEvaluator values={values} /> : values[0]?.text;
              },
            })),
            {
              name: "Time",
              isNumeric: true,
              cell: ({ output }) => (output?.latency ? latency(output.latency.total) : ""),
            },
            { name: "Labels", isNumeric: true, cell: ({ labels }) => labels.length },
          ]}
        >
          <NoMatch
            title={isFiltered ? `No result matches ${wordsOf(filter)}` : "No results yet"}
            href={path}
            link={isFiltered ? "Clear the filters" : "Reload"}
          />
        </List>
      </div>
      {page.data.length > 0 && <Downloads run={run} filter={conditions} />}
    </Screen>
  );
};

/** Updates the list every two seconds while the run is in progress. */
const updatedFrom = (address: string) => ({
  "hx-get": address,
  "hx-trigger": "every 2s",
  "hx-select": "#samples",
  "hx-swap": "outerMorph",
  "data-poll": true,
});

const ANY = { value: "", label: "Any" };
const options = <T,>(words: Readonly<Record<string, T>>, labelOf: (word: T) => string) =>
  Object.entries(words).map(([value, word]) => ({ value, label: labelOf(word) }));

interface SegmentFieldProps {
  run: BatchEval;
  filter: SampleFilter;
  kind: Segment["kind"];
}

/** A list of the run's tags or groups. Before they are known, a text field for tags. */
const SegmentField = ({ run, filter, kind }: SegmentFieldProps) => {
  const names = run.segments.flatMap((segment) => (segment.kind === kind ? [segment.name] : []));
  const { text: field, select } = fieldsOf(filter);
  const chosen = filter[kind];
  if (names.length === 0 && !chosen) return kind === "tag" ? field("tag", "Tag", { maxlength: 64 }) : null;
  const known = chosen === undefined || names.includes(chosen) ? names : [chosen, ...names];
  return select(kind, capitalized(kind), [ANY, ...known]);
};

const STATES = { pending: "Waiting", running: "In progress", error: "Error" } as const;

export const outcomeOf = ({ state, passed }: Pick<SampleResult, "state" | "passed">): string =>
  state === "done" ? outcomeText(passed) : STATES[state];

export const outcomeLook = ({ state, passed }: Pick<SampleResult, "state" | "passed">): string =>
  state === "error" ? "fair" : verdictKind(passed);

/** Filter values of a query string, without empty ones. */
export const filterOf = ({ q, outcome, failure, tag, group, sort }: SampleFilter): SampleFilter =>
  withoutEmpty({ q, outcome, failure, tag, group, sort });
