import type { Static } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { MAX_RUNS } from "../../gateway/compare/contract";
import { principalOf } from "../../gateway/http/auth";
import { allows } from "../../gateway/http/route-facts";
import type { Services } from "../../gateway/services";
import { toAppError, withoutRoutes } from "../../lib/errors";
import { frameOf } from "../layout";
import { Fields, text } from "../ui/fields";
import { page } from "../ui/html";
import { withoutEmpty } from "../ui/lists";
import { DIFFS, ROWS } from "./cell";
import { ChooseRunsPage } from "./choose";
import { ComparePage } from "./page";
import { type CompareFilter, SHOWS, showsOf } from "./samples";

const PAGE_LENGTH = 50;

const Query = Fields({
  /** Ids, separated by commas: the first is the baseline. */
  runs: text(520),
  show: text(20),
  metric: text(150),
  tag: text(64),
  search: text(200),
  pattern: text(200),
  /** Milliseconds. */
  slower: text(20),
  rows: text(10),
  diff: text(10),
  after: text(200),
});

/** A key of `words` from the query string; undefined for anything else. */
const keyIn = <K extends string>(words: Readonly<Record<K, string>>, given = ""): K | undefined =>
  Object.hasOwn(words, given) ? (given as K) : undefined;

/** `/batch-evals/compare`: runs side by side, or the choice of the runs. */
export const comparePageRoutes = ({ compare, evals }: Pick<Services, "compare" | "evals">) => {
  const choose = async (request: Request, chosen: readonly string[], problem?: string): Promise<Response> => {
    const principal = principalOf(request);
    const [first] = chosen;
    const known =
      first === undefined ? undefined : await evals.get(principal, first, { limit: 1 }).catch(() => undefined);
    const { data: runs } = await evals.pageOfRuns(principal, {
      ...{ page: 1, pageLength: PAGE_LENGTH, kind: "batch", dataset: known?.run.pins.dataset?.id },
      sort: { by: "when", isDescending: true },
    });
    return page(<ChooseRunsPage {...frameOf(request)} {...{ runs, chosen, problem }} />, problem ? 422 : 200);
  };

  const show = async (request: Request, query: Static<typeof Query>): Promise<Response> => {
    // Runs that were selected in a list. Ids sort by creation time, so the oldest becomes the baseline.
    const selected = new URL(request.url).searchParams.getAll("run").toSorted();
    const ids = query.runs ? query.runs.split(",").filter((id) => id !== "") : selected;
    if (ids.length === 0) return choose(request, [], undefined);
    if (ids.length > MAX_RUNS) return choose(request, ids, `Choose at most ${MAX_RUNS} runs`);
    const { metric = "", tag, search, pattern, slower, after } = query;
    const filter: CompareFilter = withoutEmpty({
      ...{ runs: ids.join(","), metric, tag, search, pattern, slower, after },
      show: keyIn(SHOWS, query.show),
      rows: keyIn(ROWS, query.rows),
      diff: keyIn(DIFFS, query.diff),
    });
    const problems: Record<string, string> = {};
    const isTime = /^\d{1,9}$/.test(filter.slower?.trim() ?? "");
    if (filter.slower && !isTime) problems.slower = "Enter a time in milliseconds, such as 1500";
    const [, name = metric, evaluator] = /^(\S+) by (\S+)$/.exec(metric) ?? [];
    try {
      const readMatching = (show: CompareFilter["show"], matching: string | undefined) =>
        compare.compare(principalOf(request), {
          ...{ runs: ids.join(","), show, tag: filter.tag, search: filter.search, after: filter.after },
          ...{ pattern: matching, metric: name || undefined, evaluator, limit: PAGE_LENGTH },
          slower_than_ms: isTime ? Number(filter.slower) : undefined,
        });
      const read = (show: CompareFilter["show"]) =>
        readMatching(show, filter.pattern).catch((thrown) => {
          const { message, detail } = toAppError(thrown);
          if (detail.param !== "pattern") throw thrown;
          problems.pattern = message;
          return readMatching(show, undefined);
        });
      let comparison = await read(filter.show ?? "worse");
      if (!showsOf(comparison).includes(filter.show ?? "worse")) {
        filter.show = "all";
        comparison = await read("all");
      }
      const props = {
        ...frameOf(request),
        ...{ comparison, problems },
        filter: { ...filter, runs: comparison.runs.map(({ run_id }) => run_id).join(",") },
      };
      return page(<ComparePage {...props} />, Object.keys(problems).length > 0 ? 422 : 200);
    } catch (thrown) {
      const { kind, message, detail } = toAppError(thrown);
      if (kind !== "invalid_request" || detail.param !== "runs") throw thrown;
      return choose(request, ids, ids.length < 2 ? "Choose the run to compare it with" : withoutRoutes(message));
    }
  };

  return new Elysia({ name: "views.compare", prefix: "/batch-evals/compare" }).get(
    "",
    ({ request, query }) => show(request, query),
    {
      query: Query,
      detail: allows("viewer"),
    },
  );
};
