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
  after: text(200),
});

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
    const { show: given = "", metric = "", tag, search, after } = query;
    const filter: CompareFilter = withoutEmpty({
      ...{ runs: ids.join(","), metric, tag, search, after },
      show: Object.hasOwn(SHOWS, given) ? (given as CompareFilter["show"]) : undefined,
    });
    const [, name = metric, evaluator] = /^(\S+) by (\S+)$/.exec(metric) ?? [];
    try {
      const read = (show: CompareFilter["show"]) =>
        compare.compare(principalOf(request), {
          ...filter,
          runs: ids.join(","),
          show,
          metric: name || undefined,
          evaluator,
          limit: PAGE_LENGTH,
        });
      let comparison = await read(filter.show ?? "worse");
      if (!showsOf(comparison).includes(filter.show ?? "worse")) {
        filter.show = "all";
        comparison = await read("all");
      }
      const props = {
        ...frameOf(request),
        comparison,
        filter: { ...filter, runs: comparison.runs.map(({ run_id }) => run_id).join(",") },
      };
      return page(<ComparePage {...props} />);
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
