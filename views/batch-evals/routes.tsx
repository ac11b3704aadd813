import { type Static, Type } from "@sinclair/typebox";
import { Elysia, t } from "elysia";
import type { ResumeBatchEval } from "../../gateway/batch-evals/contract";
import { principalOf } from "../../gateway/http/auth";
import { allows } from "../../gateway/http/route-facts";
import type { Principal } from "../../gateway/principal";
import type { Services } from "../../gateway/services";
import { toAppError } from "../../lib/errors";
import { ownValue } from "../../lib/own-value";
import { onceFor } from "../asking";
import { createNewForm, type FormServices } from "../evals/form";
import { changedMetrics, type FilledLabels, labelledCriteria, readLabels, storeLabels } from "../evals/label-form";
import { frameOf } from "../layout";
import { Fields, type Problems, text } from "../ui/fields";
import { html, isHtmx, page, redirect } from "../ui/html";
import { readPage, readSort, withoutEmpty, withQuery } from "../ui/lists";
import { EstimateContent, type EstimateProps } from "./estimate";
import { EMPTY_RUN, filledWith, problemsOf, RunFields, type RunForm, readRunForm, several, toRunForm } from "./form";
import { RunListQuery, RunsPage } from "./list";
import { NewRunPage, TagFields } from "./new";
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

const WHOLE_PAGE = { "hx-retarget": "#main", "hx-reselect": "#main", "hx-reswap": "outerMorph" };

const done = text(20);
const SampleQuery = Fields({ ...sampleFilter, claims: text(100), done });
const NewQuery = Fields({ run: text(100), dataset: text(100), revision: text(10) });
const RunBody = Type.Partial(
  Type.Object({ ...RunFields.properties, once: t.String({ maxLength: 100 }) }, { additionalProperties: true }),
);

type RunPageServices = FormServices & Pick<Services, "batchEvals" | "idempotency" | "keys" | "labels">;

/** `/batch-evals`: the list of runs, the form for a new one, and each run with its samples. */
export const runPageRoutes = (services: RunPageServices) => {
  const { batchEvals, datasets, evals, evaluators, idempotency, keys, labels } = services;
  const newForm = createNewForm(services);

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

  const choicesFor = async (principal: Principal, form: RunForm) => {
    const choices = await newForm.choices(principal);
    if (form.dataset === "" || choices.datasets.some(({ id }) => id === form.dataset)) return choices;
    const chosen = await datasets.get(form.dataset).catch(() => undefined);
    return chosen ? { ...choices, datasets: [chosen, ...choices.datasets] } : choices;
  };

  const estimateOf = async (principal: Principal, form: RunForm): Promise<EstimateProps & { problems?: Problems }> => {
    const read = readRunForm(form);
    if ("problems" in read) return withProblem(read.problems);
    const { max_concurrency, max_error_share, name, tags, ...plan } = read.request;
    try {
      return { plan: await batchEvals.plan(principal, plan) };
    } catch (thrown) {
      const problems = problemsOf(toAppError(thrown), form);
      if (!problems) throw thrown;
      return withProblem(problems);
    }
  };

  const showForm = async (
    request: Request,
    form: RunForm,
    { problems, ...estimate }: EstimateProps & { problems?: Problems } = {},
  ): Promise<Response> => {
    const choices = await choicesFor(principalOf(request), form);
    const props = { ...frameOf(request), form, choices, once: Bun.randomUUIDv7(), problems, estimate };
    // The form replaces the whole page, although htmx may target a part of it. Typed text is kept.
    const headers = isHtmx(request) ? WHOLE_PAGE : undefined;
    return page(<NewRunPage {...props} />, problems ? 422 : 200, headers);
  };

  /** A new form: empty, for a dataset, or with the settings of an earlier run. */
  const newRun = async (request: Request, { run, ...query }: Static<typeof NewQuery>): Promise<Response> => {
    const { data } = await evaluators.list({ limit: MANY });
    const active = data.flatMap(({ name, active: version }) => (version ? [`${name}@${version.version}`] : []));
    const shadows = data.flatMap(({ name, shadow }) => (shadow ? [`${name}@${shadow.version}`] : []));
    const first = { evaluators: active, shadows, ...withoutEmpty(query) };
    return showForm(request, {
      ...EMPTY_RUN,
      ...(run ? filledWith(await batchEvals.get(principalOf(request), run)) : first),
    });
  };

  /** The tags of a dataset that was chosen in the form. Chosen tags that it doesn't have are dropped. */
  const showTags = async (query: URLSearchParams): Promise<Response> => {
    const id = query.get("dataset") ?? "";
    const dataset = id === "" ? undefined : await datasets.get(id);
    const tag = query.getAll("tag").filter((name) => dataset?.tags.includes(name));
    return html(<TagFields form={{ ...EMPTY_RUN, tag, tags: query.get("tags") ?? "" }} dataset={dataset} />);
  };

  const start = async (request: Request, { once, ...body }: Static<typeof RunBody>): Promise<Response> => {
    const principal = principalOf(request);
    const form = toRunForm(body);
    const read = readRunForm(form);
    if ("problems" in read) return showForm(request, form, withProblem(read.problems));
    try {
      const run = await idempotency.once(onceFor(request, once), principal, read.request, (seal) =>
        batchEvals.start(principal, read.request, seal),
      );
      return redirect(request, `/batch-evals/${run.id}?done=started`);
    } catch (thrown) {
      const problems = problemsOf(toAppError(thrown), form);
      if (!problems) throw thrown;
      return showForm(request, form, withProblem(problems));
    }
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
        .get("/new", ({ request, query }) => newRun(request, query), { query: NewQuery })
        .get("/tags", ({ request }) => showTags(new URL(request.url).searchParams))
        .post("", ({ request, body }) => start(request, body), { body: RunBody })
        .post(
          "/check",
          async ({ request, body }) => {
            const form = toRunForm(body);
            return showForm(request, form, await estimateOf(principalOf(request), form));
          },
          { body: RunBody },
        )
        .post(
          "/estimate",
          async ({ request, body }) => {
            const { plan, problem } = await estimateOf(principalOf(request), toRunForm(body));
            return html(<EstimateContent plan={plan} problem={problem} />);
          },
          { body: RunBody },
        )
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

/** The problems of a form. The first one takes the place of the estimate. */
const withProblem = (problems: Problems) => ({ problems, problem: Object.values(problems)[0] });

const noticeOf = (done: string | undefined): string => ownValue(NOTICES, done ?? "") ?? "";

/** Ignores that a dataset was deleted. */
const withoutDeleted = (thrown: unknown): undefined => {
  if (toAppError(thrown).kind !== "not_found") throw thrown;
};
