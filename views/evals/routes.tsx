import { Elysia, t } from "elysia";
import type { DatasetService } from "../../gateway/datasets/service";
import { runFile } from "../../gateway/evals/run-file";
import type { EvalService } from "../../gateway/evals/service";
import type { EvalTransfer } from "../../gateway/evals/transfer";
import type { EvaluatorService } from "../../gateway/evaluators/service";
import { principalOf } from "../../gateway/http/auth";
import { exchangeOf } from "../../gateway/http/exchange";
import { sseResponse } from "../../gateway/http/sse";
import type { KeyRuns } from "../../gateway/keys/runs";
import type { LabelService } from "../../gateway/labels/service";
import type { Models } from "../../gateway/models/registry";
import type { PromptService } from "../../gateway/prompts/service";
import { toAppError } from "../../lib/errors";
import { own } from "../../lib/own";
import { askingOf } from "../asking";
import type { Problems } from "../ui/fields";
import { Fields } from "../ui/form";
import { isHtmx, PAGE_HEADERS, page, redirect } from "../ui/html";
import { withoutEmpty } from "../ui/lists";
import { sseMessage } from "../ui/sse";
import { Evaluated, Evaluating, NotEvaluated } from "./evaluating";
import { type FilledLabel, giveLabel } from "./filled-label";
import { EMPTY_FORM, type EvalForm, readEvalForm } from "./form";
import { LABEL_FIELDS } from "./label-routes";
import { type RunFilter, RunsPage } from "./list";
import { NewEvalPage } from "./new";
import { createNewForm } from "./new-form";
import { ResultPage, RunPage } from "./run";
import { RunningEvals } from "./running";

const PAGE_LENGTH = 50;
const MANY = 100;
/** How often a page hears how far its evaluation is. */
const UPDATE_MS = 1000;
const { "content-type": _, ...STREAM_HEADERS } = PAGE_HEADERS;

const NOTICES: Readonly<Record<string, string>> = {
  labelled: "Label saved.",
  recomputed: "Scored again. The new scores stand beside the old ones.",
  unchanged: "Nothing was scored: there is a value by that evaluator and every criterion already.",
};

interface Services {
  datasets: DatasetService;
  evals: EvalService;
  evalTransfer: EvalTransfer;
  evaluators: EvaluatorService;
  labels: LabelService;
  models: Pick<Models, "list">;
  prompts: Pick<PromptService, "list">;
  runs: KeyRuns;
}

const text = (maxLength: number) => t.Optional(t.String({ maxLength }));
const long = text(1_000_000);

/** A label that was refused, as it was filled, and what is wrong with it. */
interface Refused {
  filled: FilledLabel;
  problems: Problems;
}

/** `/evals`: the history, the form, a run with its scores and labels by people. */
export const evalPageRoutes = (services: Services) => {
  const { datasets, evals, evalTransfer, evaluators, labels } = services;
  const running = new RunningEvals(services);
  const newForm = createNewForm(services);
  const frameOf = (request: Request) => ({ request, principal: principalOf(request) });

  const history = async (request: Request, query: RunFilter): Promise<Response> => {
    const filter = withoutEmpty(query);
    const found = await evals.list({
      limit: PAGE_LENGTH,
      after: filter.after,
      search: filter.q,
      dataset: filter.dataset,
      evaluator: filter.evaluator,
      passed: filter.verdict === undefined ? undefined : filter.verdict === "passed" ? "true" : "false",
    });
    const { data: known } = await datasets.list({ limit: MANY });
    const props = { ...frameOf(request), page: found, filter, datasets: known, evaluators: await references() };
    return page(<RunsPage {...props} />);
  };

  /** Every version of every evaluator, as `name@version`. */
  const references = async (): Promise<string[]> => {
    const { data } = await evaluators.list({ limit: MANY });
    const versions = await Promise.all(data.map(({ name }) => evaluators.versions(name, { limit: MANY })));
    return versions.flatMap(({ data: found }) => found.map(({ name, version }) => `${name}@${version}`));
  };

  const showForm = async (request: Request, filled: Partial<EvalForm>, problems: Record<string, string> = {}) => {
    const offered = await newForm.choices(principalOf(request));
    const active = offered.evaluators.filter(({ state }) => state === "active");
    const form: EvalForm = {
      ...EMPTY_FORM,
      evaluators: active.map(({ name, version }) => `${name}@${version}`),
      ...filled,
    };
    const { chosen: sample, problem } = await newForm.chosenOf(form);
    const shown = problem === undefined ? problems : { ...problems, key: problem };
    const isRefused = Object.keys(shown).length > 0;
    const props = { ...frameOf(request), choices: offered, form, sample, problems: shown };
    // A form that was refused takes the place of the one that was sent, also where only a part was to be swapped.
    const headers: Record<string, string> =
      isRefused && isHtmx(request) ? { "hx-retarget": "#main", "hx-reselect": "#main", "hx-reswap": "outerHTML" } : {};
    return page(<NewEvalPage {...props} />, isRefused ? 422 : 200, headers);
  };

  const evaluate = async (request: Request, form: EvalForm): Promise<Response> => {
    const context = await newForm.chosenOf(form);
    if (context.problem !== undefined) return showForm(request, form);
    const { shadows } = await newForm.choices(principalOf(request));
    const read = readEvalForm(form, { ...context, shadows });
    if ("problems" in read) return showForm(request, form, read.problems);
    const started = running.start(askingOf(request), read.request);
    if (!isHtmx(request)) {
      const { run } = await started.done;
      return redirect(request, `/evals/${run.id}`);
    }
    const exchange = exchangeOf(request);
    const pieces = async function* () {
      let ended = false;
      const end = () => {
        ended = true;
      };
      started.done.then(end, end);
      while (!ended) {
        yield await sseMessage(<Evaluating running={started} />);
        await Promise.race([started.done.then(end, end), Bun.sleep(UPDATE_MS)]);
      }
      yield await started.done.then(
        ({ run }) => sseMessage(<Evaluated path={`/evals/${run.id}`} />),
        (error) => sseMessage(<NotEvaluated error={toAppError(error)} requestId={exchange.requestId} />),
      );
    };
    return sseResponse(exchange, { pieces: pieces(), headers: STREAM_HEADERS });
  };

  const showRun = async (
    request: Request,
    id: string,
    { after, done, refused }: { after?: string; done?: string; refused?: Refused },
  ): Promise<Response> => {
    const found = await evals.get(id, { limit: PAGE_LENGTH, after });
    const props = { ...frameOf(request), ...found, evaluators: await references(), after, ...refused };
    return page(<RunPage {...props} notice={own(NOTICES, done ?? "")} />, refused ? 422 : 200);
  };

  /** A result of a run of many, at its own address. */
  const showResult = async (
    request: Request,
    id: string,
    { done, refused }: { done?: string; refused?: Refused } = {},
  ): Promise<Response> => {
    const { run, result } = await evals.result(id);
    const props = { ...frameOf(request), run, result, ...refused };
    return page(<ResultPage {...props} notice={own(NOTICES, done ?? "")} />, refused ? 422 : 200);
  };

  return new Elysia({ name: "views.evals", prefix: "/evals" })
    .get("", ({ request, query }) => history(request, query), {
      query: Fields({ q: text(200), dataset: text(100), evaluator: text(100), verdict: text(10), after: text(200) }),
    })
    .get("/new", async ({ request, query }) => showForm(request, await newForm.filledFrom(query)), {
      query: Fields({ run: text(100), dataset: text(100), revision: text(10), key: text(200) }),
    })
    .post(
      "",
      ({ request, server, body }) => {
        // Whatever is asked may be silent for long.
        server?.timeout(request, 0);
        const { evaluators: chosen = [], answer, ...rest } = body;
        const typed = { ...EMPTY_FORM, ...rest, answer: answer === "model" ? answer : EMPTY_FORM.answer };
        return evaluate(request, { ...typed, evaluators: [chosen].flat() });
      },
      {
        body: Fields({
          input: long,
          references: long,
          contexts: long,
          output: long,
          dataset: text(100),
          revision: text(10),
          key: text(200),
          run: text(100),
          answer: text(10),
          model: text(200),
          prompt: text(220),
          maxTokens: text(20),
          seed: text(20),
          evaluators: t.Optional(t.Union([t.String({ maxLength: 100 }), t.Array(t.String({ maxLength: 100 }))])),
        }),
      },
    )
    .post("/running/:id/stop", ({ request, params }) => {
      running.stop(principalOf(request).keyId, params.id);
      return isHtmx(request) ? new Response(null, { status: 204, headers: PAGE_HEADERS }) : redirect(request, "/evals");
    })
    .post(
      "/results/:id/labels",
      async ({ request, params, body }) => {
        const { run } = await evals.result(params.id);
        const isOnly = run.progress.total === 1;
        const giving = { labels, principal: principalOf(request), resultId: params.id, missing: "Choose a value" };
        const problems = await giveLabel(giving, body);
        if (problems) {
          const refused = { problems, filled: body };
          return isOnly ? showRun(request, run.id, { refused }) : showResult(request, params.id, { refused });
        }
        const path = isOnly ? `/evals/${run.id}` : `/evals/${run.id}/results/${params.id}`;
        return redirect(request, `${path}?done=labelled`);
      },
      { body: Fields(LABEL_FIELDS) },
    )
    .get("/:id", ({ request, params, query }) => showRun(request, params.id, query), {
      query: Fields({ after: text(200), done: text(20) }),
    })
    .get("/:id/export", async ({ params, query }) => runFile(await evalTransfer.export(params.id), query.format), {
      query: Fields({ format: t.Optional(t.Union([t.Literal("json"), t.Literal("csv")])) }),
    })
    .get("/:id/results/:result", ({ request, params, query }) => showResult(request, params.result, query), {
      query: Fields({ done: text(20) }),
    })
    .post(
      "/:id/recompute",
      async ({ request, server, params, body }) => {
        server?.timeout(request, 0);
        const call = { ...askingOf(request), signal: request.signal };
        const asked = { evaluators: [body.evaluator], shadow: body.shadow !== "false" };
        const { added } = await evals.recompute(call, params.id, asked);
        return redirect(request, `/evals/${params.id}?done=${added > 0 ? "recomputed" : "unchanged"}`);
      },
      { body: Fields({ evaluator: t.String({ maxLength: 100 }), shadow: text(10) }) },
    );
};
