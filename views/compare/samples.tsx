import type { CompareQuery, Comparison, SampleComparison } from "../../gateway/compare/contract";
import { differsInScale, VERDICT } from "../../gateway/compare/contract";
import { textOfInput } from "../../gateway/datasets/content";
import { metricName } from "../evals/words";
import { fieldsOf, type Problems } from "../ui/fields";
import { Filters, NoMatch, Table, withQuery } from "../ui/lists";
import { count, number, shortKey, Tabs } from "../ui/parts";
import { Cell, DIFFS, ROWS } from "./cell";

type Show = NonNullable<CompareQuery["show"]>;

/** Values of the query string, without empty ones. */
export interface CompareFilter {
  runs?: string;
  show?: Show;
  /** "verdict", or "correctness by reference@1". */
  metric?: string;
  tag?: string;
  search?: string;
  pattern?: string;
  /** Milliseconds. */
  slower?: string;
  rows?: keyof typeof ROWS;
  diff?: keyof typeof DIFFS;
  after?: string;
}

export const SHOWS: Readonly<Record<Show, string>> = {
  worse: "Got worse",
  better: "Got better",
  changed: "Changed",
  failed: "Not passed",
  errors: "Errors",
  missing: "Missing",
  all: "All",
};

const CHANGE_SHOWS: ReadonlySet<Show> = new Set(["worse", "better", "changed"]);

/** The samples that can be shown. Without values on the baseline's scale, no sample is better or worse. */
export const showsOf = ({ comparisons, metric, evaluator }: Comparison): Show[] => {
  const chosen = comparisons.flatMap(({ metrics }) =>
    metrics.filter((each) => each.metric === metric && each.evaluator === evaluator),
  );
  const isShared = chosen.some(({ reason }) => !differsInScale(reason));
  return (Object.keys(SHOWS) as Show[]).filter((show) => isShared || !CHANGE_SHOWS.has(show));
};

interface SamplesProps {
  comparison: Comparison;
  filter: CompareFilter;
  /** Of the filters. */
  problems: Problems;
}

/** The samples side by side. The largest loss comes first. */
export const ComparedSamples = ({ comparison, filter, problems }: SamplesProps) => {
  const { samples, counts, runs } = comparison;
  const { diff = "words", rows = diff === "lines" ? "all" : "3" } = filter;
  const shows = showsOf(comparison);
  const show = filter.show ?? "worse";
  const to = (changes: CompareFilter) =>
    `${withQuery("/batch-evals/compare", { ...filter, after: undefined, ...changes })}#samples-title`;
  return (
    <section aria-labelledby="samples-title">
      <h2 id="samples-title">Samples</h2>
      <Tabs
        label="Which samples"
        tabs={shows.map((each) => ({
          href: to({ show: each }),
          text: `${SHOWS[each]} (${number(counts[each])})`,
          current: each === show ? "true" : undefined,
        }))}
      />
      {!shows.includes("worse") && (
        <p class="hint">
          {comparison.metric === VERDICT ? "The verdicts of these runs" : "These scores"} can’t be compared, so no
          sample counts as better or worse.
        </p>
      )}
      <SampleFilters comparison={comparison} filter={{ ...filter, diff, rows }} problems={problems} />
      <p class="row-range" role="status">
        {count(counts[show], "sample")}
      </p>
      {samples.data.length === 0 ? (
        <NoMatch
          title={emptyText(show, filter)}
          href={to({ show: "all", tag: undefined, search: undefined, pattern: undefined, slower: undefined })}
          link="Show all samples"
        />
      ) : (
        <div class={`rows-${rows}`}>
          <Table
            caption="Samples side by side"
            rows={samples.data}
            columns={[
              {
                name: "Sample",
                cell: ({ sample_key }) => shortKey(sample_key),
                note: ({ change }) => CHANGES[change],
              },
              { name: "Question", isLong: true, cell: ({ input }) => textOfInput(input) },
              ...runs.map(({ name }, index) => ({
                name: index === 0 ? `${name} (baseline)` : name,
                isLong: true,
                cell: (sample: SampleComparison) => (
                  <Cell {...{ sample, index, diff, rows }} isRate={comparison.metric === VERDICT} />
                ),
              })),
            ]}
          />
        </div>
      )}
      {(samples.next_cursor !== null || filter.after !== undefined) && (
        <nav class="pager" aria-label="Pages">
          {filter.after !== undefined && (
            <a class="button secondary" href={to({})}>
              First page
            </a>
          )}
          {samples.next_cursor !== null && (
            <a class="button secondary" rel="next" href={to({ after: samples.next_cursor })}>
              Next page
            </a>
          )}
        </nav>
      )}
    </section>
  );
};

const CHANGES: Readonly<Record<SampleComparison["change"], string | undefined>> = {
  better: "got better",
  worse: "got worse",
  mixed: "better and worse",
  same: undefined,
  unknown: "can’t be compared",
};

const emptyText = (show: Show, { tag, search, pattern, slower }: CompareFilter): string => {
  const conditions = [
    tag && `tag ${tag}`,
    search && `“${search}”`,
    pattern && `the expression ${pattern}`,
    slower && `slower than ${slower} ms`,
  ].filter(Boolean);
  const what = [`“${SHOWS[show]}”`, ...conditions].join(" and ");
  if (conditions.length > 0) return `No sample matches ${what}`;
  return (
    { worse: "No sample got worse", better: "No sample got better" }[show as string] ?? `No sample matches ${what}`
  );
};

/** "verdict", or "correctness by reference@1", for the choice of a metric. */
const metricChoice = (metric: string, evaluator: string | null): string =>
  evaluator === null ? metric : `${metric} by ${evaluator}`;

const SampleFilters = ({ comparison, filter, problems }: SamplesProps) => {
  const chosen = metricChoice(comparison.metric, comparison.evaluator);
  const shared = comparison.comparisons.flatMap(({ metrics }) =>
    metrics.filter(({ metric, reason }) => metric === VERDICT || !differsInScale(reason)),
  );
  const choices = [...new Set([...shared.map(({ metric, evaluator }) => metricChoice(metric, evaluator)), chosen])];
  const { text, select } = fieldsOf({ ...filter, metric: chosen }, problems);
  const options = (words: Readonly<Record<string, string>>) =>
    Object.entries(words).map(([value, label]) => ({ value, label }));
  return (
    <Filters action="/batch-evals/compare#samples-title">
      <input type="hidden" name="runs" value={filter.runs} />
      {filter.show && <input type="hidden" name="show" value={filter.show} />}
      {text("search", "Search texts", { type: "search", maxlength: 200 })}
      {text("pattern", "Regular expression", { maxlength: 200, spellcheck: "false", autocapitalize: "off" })}
      {text("tag", "Tag", { maxlength: 64 })}
      {text("slower", "Slower than (ms)", { inputmode: "numeric", maxlength: 9, autocomplete: "off" })}
      {select(
        "metric",
        "Compare by",
        choices.map((value) => ({ value, label: metricName(value) })),
      )}
      {select("rows", "Row height", options(ROWS))}
      {select("diff", "Mark different", options(DIFFS))}
    </Filters>
  );
};
