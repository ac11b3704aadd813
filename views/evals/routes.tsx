import { type Static, Type } from "@sinclair/typebox";
import { Elysia, t } from "elysia";
import { textOfInput } from "../../gateway/datasets/content";
import { StoppedByReader } from "../../gateway/evals/running";
import { runFile } from "../../gateway/evals/transfer";
import { principalOf } from "../../gateway/http/auth";
import { download } from "../../gateway/http/download";
import { exchangeOf } from "../../gateway/http/exchange";
import { allows, runsLong } from "../../gateway/http/route-facts";
import { sseResponse } from "../../gateway/http/sse";
import type { Services } from "../../gateway/services";
import { toAppError } from "../../lib/errors";
import { ownValue } from "../../lib/own-value";
import { askingOf, pageCallOf } from "../asking";
import { frameOf } from "../layout";
import { Fields, type Problems, text } from "../ui/fields";
import { isHtmx, PAGE_HEADERS, page, redirect, sseMessage } from "../ui/html";
import { readPage, readSort, withoutEmpty } from "../ui/lists";
import { Evaluated, Evaluating, NotEvaluated, Stopped } from "./evaluating";
import { createNewForm, EMPTY_FORM, EvalFields, type EvalForm, type FormServices, readEvalForm } from "./form";
import { changedMetrics, type FilledLabels, labelledCriteria, readLabels, storeLabels } from "./label-form";
import { RunListQuery, RunsPage } from "./list";
import { NewEvalPage, type NewEvalPageProps } from "./new";
import { ResultPage, RunPage } from "./run";

const PAGE_LENGTH = 50;
const MANY = 100;
/** Interval between progress updates of an evaluation. */
const UPDATE_MS = 1000;
const { "content-type": _, ...STREAM_HEADERS } = PAGE_HEADERS;

const NOTICES: Readonly<Record<string, string>> = {
  labelled: "Labels saved.",
  recomputed: "Scored again. The earlier scores were kept.",
  unchanged: "Nothing to score: that evaluator already has a value for every criterion.",
};

const RUN_COLUMNS = ["when", "name", "verdict"] as const;
const RESULT_COLUMNS = ["sample", "verdict"] as const;

const ResultQuery = Fields({ claims: text(100), done: text(20) });
const NewEvalQuery = Fields({ run: text(100), edit: text(10), dataset: text(100), revision: text(10), key: text(200) });
const RunQuery = Fields({ sort: text(20), page: text(10), ...ResultQuery.properties });

interface Refused {
  filled: FilledLabels;
  problems: Problems;
}

/** `/evals`: the list of runs, the form for a new one, and each run with its scores and labels. */
export const evalPageRoutes = (
  services: FormServices & Pick<Services, "batchEvals" | "evalTransfer" | "labels" | "runningEvals">,
) => {
  const { batchEvals, datasets, evals, evalTransfer, evaluators, labels, runningEvals } = services;
  const newForm = createNewForm(services);
  const history = async (request: Request, given: RunListQuery): Promise<Response> => {
    const query = withoutEmpty(given);
    const sort = readSort(query.sort, RUN_COLUMNS, { by: "when", isDescending: true });
    const found = await evals.pageOfRuns(principalOf(request), {
      page: readPage(query.page),
      pageLength: PAGE_LENGTH,
      sort,
      kind: "single",
      search: query.q,
      dataset: query.dataset,
      evaluator: query.evaluator,
      passed: query.verdict === undefined ? undefined : query.verdict === "passed" ? "true" : "false",
    });
    const { data: known } = await datasets.list({ limit: MANY });
    const running = runningEvals.of(principalOf(request).keyId);
    const lists = { page: found, running, datasets: known, evaluators: await references() };
    return page(<RunsPage {...frameOf(request)} {...lists} sort={sort} query={query} />);
  };

  /** Every version of every evaluator, as `name@version`. */
  const references = async (): Promise<string[]> => {
    const { data } = await evaluators.list({ limit: MANY });
    const versions = await Promise.all(data.map(({ name }) => evaluators.versions(name, { limit: MANY })));
    return versions.flatMap(({ data: found }) => found.map(({ name, version }) => `${name}@${version}`));
  };

  const newEvaluation = async (request: Request, query: Static<typeof NewEvalQuery>): Promise<Response> => {
    const choices = await newForm.choices(principalOf(request));
    const active = choices.evaluators.filter(({ state }) => state === "active");
    const evaluators = active.map(({ name, version }) => `${name}@${version}`);
    const form: EvalForm = { ...EMPTY_FORM, evaluators, ...(await newForm.filledFrom(principalOf(request), query)) };
    const { chosen, problems } = await newForm.chosenOf(principalOf(request), form);
    return showForm(request, { choices, form, sample: chosen, problems });
  };

  const showForm = (
    request: Request,
    shown: Pick<NewEvalPageProps, "choices" | "form" | "sample" | "problems">,
  ): Promise<Response> => {
    const isRefused = shown.problems !== undefined;
    // A rejected form replaces the whole page, although htmx targets a part of it. Typed text is kept.
    const headers: Record<string, string> =
      isRefused && isHtmx(request) ? { "hx-retarget": "#main", "hx-reselect": "#main", "hx-reswap": "outerMorph" } : {};
    return page(<NewEvalPage {...frameOf(request)} {...shown} />, isRefused ? 422 : 200, headers);
  };

  const evaluate = async (request: Request, form: EvalForm): Promise<Response> => {
    const { chosen, target, problems } = await newForm.chosenOf(principalOf(request), form);
    const choices = await newForm.choices(principalOf(request));
    const read = problems ? { problems } : readEvalForm(form, { chosen, target, shadows: choices.shadows });
    if ("problems" in read) return showForm(request, { choices, form, sample: chosen, problems: read.problems });
    const question = textOfInput(chosen?.sample.input ?? form.input);
    const started = runningEvals.start(askingOf(request), read.request, question);
    if (!isHtmx(request)) {
      const { run } = await started.done;
      return redirect(request, `/evals/${run.id}`);
    }
    const exchange = exchangeOf(request);
    const pieces = async function* () {
      for await (const stage of started.stages(UPDATE_MS)) {
        yield await sseMessage(<Evaluating {...started} stage={stage} />);
      }
      yield await started.done.then(
        ({ run }) => sseMessage(<Evaluated path={`/evals/${run.id}`} />),
        (error) =>
          sseMessage(
            error instanceof StoppedByReader ? (
              <Stopped />
            ) : (
              <NotEvaluated error={toAppError(error)} requestId={exchange.requestId} />
            ),
          ),
      );
    };
    return sseResponse(exchange, { pieces: pieces(), headers: STREAM_HEADERS });
  };

  const showRun = async (
    request: Request,
    id: string,
    { done, claims, refused, ...given }: Static<typeof RunQuery> & { refused?: Refused },
  ): Promise<Response> => {
    const query = withoutEmpty(given);
    const sort = readSort(query.sort, RESULT_COLUMNS, { by: "sample", isDescending: false });
    const found = await evals.pageOfResults(principalOf(request), id, {
      page: readPage(query.page),
      pageLength: PAGE_LENGTH,
      sort,
    });
    const props = { ...frameOf(request), ...found, sort, query, claims, evaluators: await references(), ...refused };
    return page(<RunPage {...props} notice={ownValue(NOTICES, done ?? "") ?? ""} />, refused ? 422 : 200);
  };

  /** One result of a larger run, on its own page. */
  const showResult = async (
    request: Request,
    id: string,
    { done, claims, refused }: Static<typeof ResultQuery> & { refused?: Refused } = {},
  ): Promise<Response> => {
    const { run, result } = await evals.result(principalOf(request), id);
    const props = { ...frameOf(request), run, result, claims, ...refused };
    return page(<ResultPage {...props} notice={ownValue(NOTICES, done ?? "") ?? ""} />, refused ? 422 : 200);
  };

  return new Elysia({ name: "views.evals", prefix: "/evals" })
    .get("", ({ request, query }) => history(request, query), {
      query: RunListQuery,
      detail: allows("viewer"),
    })
    .get("/new", ({ request, query }) => newEvaluation(request, query), {
      query: NewEvalQuery,
      detail: allows("member"),
    })
    .post(
      "",
      ({ request, body }) => evaluate(request, { ...EMPTY_FORM, ...body, evaluators: [body.evaluators ?? []].flat() }),
      { body: Type.Partial(EvalFields), detail: { ...allows("member"), ...runsLong } },
    )
    .post(
      "/running/:id/stop",
      ({ request, params }) => {
        runningEvals.stop(principalOf(request).keyId, params.id);
        return isHtmx(request)
          ? new Response(null, { status: 204, headers: PAGE_HEADERS })
          : redirect(request, "/evals");
      },
      { detail: allows("member") },
    )
    .post(
      "/:id/results/:result/labels",
      async ({ request, params, body }) => {
        const principal = principalOf(request);
        const { run: info, result } = await evals.result(principal, params.result);
        const { run } = await evals.get(principal, info.id, { limit: 1 });
        const isSingle = run.progress.total === 1;
        const filled = readLabels(body);
        const isOnly = labelledCriteria(result).length === 1;
        const options = { labels, principal, resultId: result.id, missing: "Choose a value", isOnly };
        const problems = await storeLabels(options, filled, changedMetrics(filled, result, principal));
        if (problems) {
          const refused = { problems, filled };
          return isSingle ? showRun(request, run.id, { refused }) : showResult(request, params.result, { refused });
        }
        const path = isSingle ? `/evals/${run.id}` : `/evals/${run.id}/results/${params.result}`;
        return redirect(request, `${path}?done=labelled`);
      },
      { body: Fields({}), detail: allows("editor") },
    )
    .get(
      "/:id",
      async ({ request, params, query }) => {
        const isBatchRun = await batchEvals.get(principalOf(request), params.id).then(() => true, isNotFound);
        return isBatchRun ? redirect(request, `/batch-evals/${params.id}`) : showRun(request, params.id, query);
      },
      { query: RunQuery, detail: allows("viewer") },
    )
    .get(
      "/:id/export",
      async ({ request, params, query }) =>
        download(runFile(await evalTransfer.export(principalOf(request), params.id), query.format)),
      {
        query: Fields({ format: t.Optional(t.Union([t.Literal("json"), t.Literal("csv")])) }),
        detail: allows("viewer"),
      },
    )
    .get("/:id/results/:result", ({ request, params, query }) => showResult(request, params.result, query), {
      query: ResultQuery,
      detail: allows("viewer"),
    })
    .post(
      "/:id/recompute",
      async ({ request, params, body }) => {
        const asked = { evaluators: [body.evaluator], shadow: body.shadow !== "false" };
        const { added } = await evals.recompute(pageCallOf(request), params.id, asked);
        return redirect(request, `/evals/${params.id}?done=${added > 0 ? "recomputed" : "unchanged"}`);
      },
      {
        body: Fields({ evaluator: t.String({ maxLength: 100 }), shadow: text(10) }),
        detail: { ...allows("member"), ...runsLong },
      },
    );
};

/** False for a run that doesn't exist; any other error is thrown. */
const isNotFound = (thrown: unknown): false => {
  if (toAppError(thrown).kind !== "not_found") throw thrown;
  return false;
};
