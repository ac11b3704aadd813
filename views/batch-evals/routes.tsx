import type { Static } from "@sinclair/typebox";
import { Elysia } from "elysia";
import type { ResumeBatchEval } from "../../gateway/batch-evals/contract";
import { principalOf } from "../../gateway/http/auth";
import { allows } from "../../gateway/http/route-facts";
import type { Services } from "../../gateway/services";
import { toAppError } from "../../lib/errors";
import { ownValue } from "../../lib/own-value";
import { changedMetrics, type FilledLabels, labelledCriteria, readLabels, storeLabels } from "../evals/label-form";
import { frameOf } from "../layout";
import { Fields, type Problems, text } from "../ui/fields";
import { page, redirect } from "../ui/html";
import { readPage, readSort, withoutEmpty, withQuery } from "../ui/lists";
import { several } from "./form";
import { RunListQuery, RunsPage } from "./list";
import { RunPage } from "./run";
import { SamplePage } from "./sample";
import { filterOf, listOf, SamplesPage, SamplesQuery, sampleFilter } from "./samples";
import { STATE_WORDS } from "./words";

const PAGE_LENGTH = 50;
const MANY = 100;
const RUN_COLUMNS = ["when", "name", "verdict"] as const;

const NOTICES: Readonly<Record<string, string>> = {
  started: "Run started. It continues if you leave this page.",
  paused: "Paused. Answers in progress finish, and no new ones start.",
  cancelled: "Cancelled. The results so far are kept.",
  resumed: "Run resumed.",
  recomputing: "Scoring the answers again. Earlier scores are kept.",
  labelled: "Labels saved.",
  baseline: "This run is now the baseline of its dataset.",
};

const done = text(20);
const SampleQuery = Fields({ ...sampleFilter, claims: text(100), done });
type RunPageServices = Pick<Services, "batchEvals" | "datasets" | "evals" | "evaluators" | "keys" | "labels">;

/** `/batch-evals`: the list of runs, and each run with its samples. */
export const runPageRoutes = ({ batchEvals, datasets, evals, evaluators, keys, labels }: RunPageServices) => {
  const showList = async (request: Request, given: RunListQuery & { done?: string }): Promise<Response> => {
    const { done: notice, ...query } = withoutEmpty(given);
    const sort = readSort(query.sort, RUN_COLUMNS, { by: "when", isDescending: true });
    const { state = "" } = query;
    const found = await evals.pageOfRuns(principalOf(request), {
      page: readPage(query.page),
      pageLength: PAGE_LENGTH,
      sort,
      kind: "batch",
      search: query.q,
      dataset: query.dataset,
      evaluator: query.evaluator,
      tag: query.tag,
      ...(Object.hasOwn(STATE_WORDS, state) && { state: state as keyof typeof STATE_WORDS }),
    });
    const { data: known } = await datasets.list({ limit: MANY });
    const keyNames = await keys.names(found.data.map(({ created_by }) => created_by));
    const props = {
      ...{ ...frameOf(request), page: found, sort, query, keyNames },
      ...{ datasets: known, evaluators: await references() },
    };
    return page(<RunsPage {...props} notice={noticeOf(notice)} />);
  };

  /** Every version of every evaluator, as `name@version`. */
  const references = async (): Promise<string[]> => {
    const { data } = await evaluators.list({ limit: MANY });
    const versions = await Promise.all(data.map(({ name }) => evaluators.versions(name, { limit: MANY })));
    return versions.flatMap(({ data: found }) => found.map(({ name, version }) => `${name}@${version}`));
  };

  const showSample = async (
    request: Request,
    { id, result: resultId }: { id: string; result: string },
    query: Static<typeof SampleQuery>,
    refused?: { filled: FilledLabels; problems: Problems },
  ): Promise<Response> => {
    const filter = filterOf(query);
    const run = await batchEvals.get(principalOf(request), id);
    const place = await batchEvals.place(principalOf(request), id, resultId, listOf(filter));
    const { result } = await evals.result(principalOf(request), resultId);
    const props = {
      ...frameOf(request),
      run,
      result,
      place,
      filter,
      claims: query.claims,
      notice: noticeOf(query.done),
    };
    return page(<SamplePage {...props} {...refused} />, refused ? 422 : 200);
  };

  const label = async (
    request: Request,
    params: { id: string; result: string },
    query: Static<typeof SampleQuery>,
    body: Readonly<Record<string, unknown>>,
  ): Promise<Response> => {
    const principal = principalOf(request);
    const { result } = await evals.result(principal, params.result);
    const filled = readLabels(body);
    const isOnly = labelledCriteria(result).length === 1;
    const options = { labels, principal, resultId: result.id, missing: "Choose a value", isOnly };
    const problems = await storeLabels(options, filled, changedMetrics(filled, result, principal));
    if (problems) return showSample(request, params, query, { filled, problems });
    const path = `/batch-evals/${params.id}/samples/${params.result}`;
    return redirect(request, withQuery(path, { ...filterOf(query), done: "labelled" }));
  };

  /** Changes the state of a run and shows it. */
  const resume = async (request: Request, id: string, body: ResumeBatchEval) => {
    await batchEvals.resume(principalOf(request), id, body);
    return redirect(request, `/batch-evals/${id}?done=resumed`);
  };

  return new Elysia({ name: "views.batch-evals", prefix: "/batch-evals" })
    .guard({ detail: allows("viewer") }, (app) =>
      app
        .get("", ({ request, query }) => showList(request, query), {
          query: Fields({ ...RunListQuery.properties, done }),
        })
        .get(
          "/:id",
          async ({ request, params, query }) => {
            const run = await batchEvals.get(principalOf(request), params.id).catch(async (thrown) => {
              if (toAppError(thrown).kind !== "not_found") throw thrown;
              // An imported run can't be controlled, so it is shown as an evaluation.
              await evals.get(principalOf(request), params.id, { limit: 1 });
            });
            if (!run) return redirect(request, `/evals/${params.id}`);
            const { dataset } = run.pins;
            const found = dataset && (await datasets.get(dataset.id).catch(withoutDeleted));
            const baseline = found?.baseline_run_id ?? null;
            const keyNames = await keys.names([run.created_by]);
            const props = { run, baseline, keyNames, evaluators: await references(), notice: noticeOf(query.done) };
            return page(<RunPage {...frameOf(request)} {...props} />);
          },
          { query: Fields({ done }) },
        )
        .get(
          "/:id/samples",
          async ({ request, params, query: given }) => {
            const query = withoutEmpty(given);
            const run = await batchEvals.get(principalOf(request), params.id);
            const place = { page: readPage(query.page), pageLength: PAGE_LENGTH };
            const found = await batchEvals.pageOfResults(principalOf(request), params.id, {
              ...listOf(query),
              ...place,
            });
            return page(<SamplesPage {...frameOf(request)} run={run} page={found} query={query} />);
          },
          { query: SamplesQuery },
        )
        .get("/:id/samples/:result", ({ request, params, query }) => showSample(request, params, query), {
          query: SampleQuery,
        }),
    )
    .guard({ detail: allows("editor") }, (app) =>
      app
        .post("/:id/pause", async ({ request, params }) => {
          await batchEvals.pause(principalOf(request), params.id);
          return redirect(request, `/batch-evals/${params.id}?done=paused`);
        })
        .post("/:id/cancel", async ({ request, params }) => {
          await batchEvals.cancel(principalOf(request), params.id);
          return redirect(request, `/batch-evals/${params.id}?done=cancelled`);
        })
        .post("/:id/resume", ({ request, params }) => resume(request, params.id, {}))
        .post("/:id/retry", ({ request, params }) => resume(request, params.id, { retry_errors: true }))
        .post("/:id/baseline", async ({ request, params }) => {
          const { dataset } = (await batchEvals.get(principalOf(request), params.id)).pins;
          await datasets.update(principalOf(request), dataset?.id ?? "", { baseline_run_id: params.id });
          return redirect(request, `/batch-evals/${params.id}?done=baseline`);
        })
        .post(
          "/:id/recompute",
          async ({ request, params, body }) => {
            const asked = { evaluators: [body.evaluator].flat(), shadow: body.shadow !== "false" };
            await batchEvals.recompute(principalOf(request), params.id, asked, async () => {});
            return redirect(request, `/batch-evals/${params.id}?done=recomputing`);
          },
          { body: Fields({ evaluator: several, shadow: text(10) }) },
        )
        .post(
          "/:id/samples/:result/labels",
          ({ request, params, query, body }) => label(request, params, query, body),
          { query: SampleQuery, body: Fields({}) },
        ),
    );
};

const noticeOf = (done: string | undefined): string => ownValue(NOTICES, done ?? "") ?? "";

/** Ignores that a dataset was deleted. */
const withoutDeleted = (thrown: unknown): undefined => {
  if (toAppError(thrown).kind !== "not_found") throw thrown;
};
