import { Elysia, t } from "elysia";
import type { DatasetService } from "../../gateway/datasets/service";
import type { FailureKind } from "../../gateway/evals/contract";
import { criteriaOfRun } from "../../gateway/evals/rubric";
import { runFile } from "../../gateway/evals/run-file";
import type { EvalService } from "../../gateway/evals/service";
import { questionOf } from "../../gateway/evals/target";
import type { EvalTransfer } from "../../gateway/evals/transfer";
import type { AgreementService } from "../../gateway/evaluators/agreement";
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
import { Fields } from "../ui/form";
import { isHtmx, PAGE_HEADERS, page, redirect } from "../ui/html";
import { withoutEmpty, withQuery } from "../ui/lists";
import { sseMessage } from "../ui/sse";
import { ErrorPanel } from "../ui/states";
import { Evaluated, Evaluating } from "./evaluating";
import { EMPTY_FORM, type EvalForm, joinContexts, readEvalForm } from "./form";
import { LabelPage } from "./label";
import { type RunFilter, RunsPage } from "./list";
import { NewEvalPage } from "./new";
import { ResultPage, RunPage } from "./run";
import { RunningEvals } from "./running";
import { FAILURE_WORDS } from "./words";

const PAGE_LENGTH = 50;
const MANY = 100;
/** How often a page hears how far its evaluation is. */
const UPDATE_MS = 1000;
const { "content-type": _, ...STREAM_HEADERS } = PAGE_HEADERS;

const NOTICES: Readonly<Record<string, string>> = {
  labelled: "Label saved.",
  recomputed: "Scored again. The new scores stand beside the old ones.",
};

interface Services {
  agreement: AgreementService;
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
const labelFields = { value: text(100), failure: text(100), comment: text(10_000) };
const unsealed = async () => {};

/** `/evals`: the history, the form, a run with its scores, and labels by people. */
export const evalPageRoutes = (services: Services) => {
  const { datasets, evals, evalTransfer, evaluators, labels } = services;
  const running = new RunningEvals(services);
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

  const choices = async (request: Request) => {
    const { data: known } = await evaluators.list({ limit: MANY });
    const { data: prompts } = await services.prompts.list({ limit: MANY });
    const newest = await Promise.all(
      known.map(async ({ name, active, shadow }) =>
        active || shadow ? [active, shadow] : (await evaluators.versions(name, { limit: 1 })).data,
      ),
    );
    return {
      models: services.models
        .list(principalOf(request))
        .filter(({ kind }) => kind === "chat")
        .map(({ id, default: isDefault }) => ({ id, isDefault })),
      prompts: prompts.map(({ name, latest }) => `${name}@${latest.version}`),
      evaluators: newest.flat().filter((version) => version !== null),
      datasets: (await datasets.list({ limit: MANY })).data,
    };
  };

  const showForm = async (request: Request, filled: Partial<EvalForm>, problems: Record<string, string> = {}) => {
    const offered = await choices(request);
    const active = offered.evaluators.filter(({ state }) => state === "active");
    const form: EvalForm = {
      ...EMPTY_FORM,
      evaluators: active.map(({ name, version }) => `${name}@${version}`),
      ...filled,
    };
    const { sample, problem } = await sampleOf(form);
    const shown = problem === undefined ? problems : { ...problems, key: problem };
    const isRefused = Object.keys(shown).length > 0;
    const props = { ...frameOf(request), choices: offered, form, sample, problems: shown };
    // A form that was refused takes the place of the one that was sent, also where only a part was to be swapped.
    const headers: Record<string, string> =
      isRefused && isHtmx(request) ? { "hx-retarget": "#main", "hx-reselect": "#main", "hx-reswap": "outerHTML" } : {};
    return page(<NewEvalPage {...props} />, isRefused ? 422 : 200, headers);
  };

  /** The sample that a form names; a key that nothing has is said at its field. */
  const sampleOf = async ({ dataset: id, revision, key }: EvalForm) => {
    if (id === "") return {};
    const number = revision === "" ? undefined : Number(revision);
    try {
      const { dataset, revision: found } = await datasets.revision(id, number);
      const wanted = key === "" ? (await datasets.samples(id, { limit: 1, revision: number })).data[0]?.key : key;
      const sample = await datasets.sample(id, wanted ?? "", found.revision);
      return { sample: { dataset, revision: found.revision, sample } };
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.kind !== "not_found") throw thrown;
      return { problem: error.message };
    }
  };

  const filledFrom = async (query: { run?: string; dataset?: string; revision?: string; key?: string }) => {
    if (query.run === undefined) return withoutEmpty(query);
    const { run, results } = await evals.get(query.run, { limit: 1 });
    const { target, dataset, seed, evaluators: scored } = run.pins;
    const [result] = results.data;
    const common = {
      model: target.model ?? "",
      prompt: target.prompt ?? "",
      maxTokens: String(target.max_tokens ?? EMPTY_FORM.maxTokens),
      seed: String(seed),
      evaluators: scored.map(({ evaluator }) => evaluator),
    };
    if (dataset) return { ...common, dataset: dataset.id, revision: String(dataset.revision), key: result?.sample_key };
    return {
      ...common,
      input: result ? (questionOf(result.input) ?? "") : "",
      references: result?.references.join("\n") ?? "",
      contexts: joinContexts(result?.contexts ?? []),
      output: target.kind === "stored" ? (result?.output?.text ?? "") : "",
    };
  };

  const evaluate = async (request: Request, form: EvalForm): Promise<Response> => {
    const read = readEvalForm(form);
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
        (error) => sseMessage(<ErrorPanel error={toAppError(error)} requestId={exchange.requestId} />),
      );
    };
    return sseResponse(exchange, { pieces: pieces(), headers: STREAM_HEADERS });
  };

  const showRun = async (
    request: Request,
    id: string,
    { after, done }: { after?: string; done?: string },
    problems: Record<string, string> = {},
  ): Promise<Response> => {
    const found = await evals.get(id, { limit: PAGE_LENGTH, after });
    const criteria = criteriaOfRun(found.run.pins);
    const props = { ...frameOf(request), ...found, criteria, evaluators: await references(), after, problems };
    return page(<RunPage {...props} notice={own(NOTICES, done ?? "")} />, Object.keys(problems).length > 0 ? 422 : 200);
  };

  const showLabels = async (
    request: Request,
    query: { metric?: string; run?: string; before?: string; last?: string },
    problems: Record<string, string> = {},
  ): Promise<Response> => {
    const principal = principalOf(request);
    const metric = query.metric || DEFAULT_METRIC;
    const { run, before } = withoutEmpty(query);
    const [id] = await labels.queue(principal, { metric, runId: run, before, limit: 1 });
    const found = id === undefined ? undefined : await evals.result(id);
    const criterion = found && criteriaOfRun(found.run.pins).find(({ name }) => name === metric);
    const last = query.last ? (await evals.result(query.last)).result : undefined;
    const label = last?.labels.find((own) => own.labelled_by === principal.keyId && own.metric === metric);
    const agreement = await services.agreement.withPeople();
    const metrics = [...new Set([DEFAULT_METRIC, ...agreement.map((entry) => entry.metric), metric])];
    const props = { ...frameOf(request), metric, metrics, run, agreement, problems };
    return page(
      <LabelPage
        {...props}
        next={found && criterion && { result: found.result, criterion }}
        last={last && label && { result: last, label }}
      />,
      Object.keys(problems).length > 0 ? 422 : 200,
    );
  };

  return new Elysia({ name: "views.evals", prefix: "/evals" })
    .get("", ({ request, query }) => history(request, query), {
      query: Fields({ q: text(200), dataset: text(100), evaluator: text(100), verdict: text(10), after: text(200) }),
    })
    .get("/new", async ({ request, query }) => showForm(request, await filledFrom(query)), {
      query: Fields({ run: text(100), dataset: text(100), revision: text(10), key: text(200) }),
    })
    .post(
      "",
      ({ request, server, body }) => {
        // Whatever is asked may be silent for long.
        server?.timeout(request, 0);
        const { evaluators: chosen = [], ...rest } = body;
        return evaluate(request, { ...EMPTY_FORM, ...rest, evaluators: [chosen].flat() });
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
    .get("/label", ({ request, query }) => showLabels(request, query), {
      query: Fields({ metric: text(64), run: text(100), before: text(100), last: text(100) }),
    })
    .post(
      "/label",
      async ({ request, body }) => {
        const { result, metric, run, skip } = body;
        const next = { metric, run: run || undefined, before: result };
        if (skip !== undefined) return redirect(request, withQuery("/evals/label", next));
        if (!body.value) {
          const before = `${result}~`;
          return showLabels(
            request,
            { metric, run, before },
            { [`value-${metric}`]: "Choose one, or skip this answer" },
          );
        }
        await labels.add(principalOf(request), result, { ...toLabel(body), blind: true }, unsealed);
        return redirect(request, withQuery("/evals/label", { ...next, last: result }));
      },
      {
        body: Fields({
          ...labelFields,
          result: t.String(),
          metric: t.String({ maxLength: 64 }),
          run: text(100),
          skip: text(100),
        }),
      },
    )
    .post(
      "/results/:id/labels",
      async ({ request, params, body }) => {
        const { run } = await evals.result(params.id);
        if (!body.value) return showRun(request, run.id, {}, { [`value-${body.metric}`]: "Choose a value" });
        await labels.add(principalOf(request), params.id, toLabel(body), unsealed);
        const path = run.progress.total === 1 ? `/evals/${run.id}` : `/evals/${run.id}/results/${params.id}`;
        return redirect(request, `${path}?done=labelled`);
      },
      { body: Fields({ ...labelFields, metric: t.String({ maxLength: 64 }) }) },
    )
    .get("/:id", ({ request, params, query }) => showRun(request, params.id, query), {
      query: Fields({ after: text(200), done: text(20) }),
    })
    .get("/:id/export", async ({ params, query }) => runFile(await evalTransfer.export(params.id), query.format), {
      query: Fields({ format: t.Optional(t.Union([t.Literal("json"), t.Literal("csv")])) }),
    })
    .get(
      "/:id/results/:result",
      async ({ request, params, query }) => {
        const { run, result } = await evals.result(params.result);
        const criteria = criteriaOfRun(run.pins);
        const props = { ...frameOf(request), run, result, criteria, notice: own(NOTICES, query.done ?? "") };
        return page(<ResultPage {...props} />);
      },
      { query: Fields({ done: text(20) }) },
    )
    .post(
      "/:id/recompute",
      async ({ request, server, params, body }) => {
        server?.timeout(request, 0);
        const call = { ...askingOf(request), signal: request.signal };
        await evals.recompute(call, params.id, { evaluators: [body.evaluator], shadow: body.shadow !== "false" });
        return redirect(request, `/evals/${params.id}?done=recomputed`);
      },
      { body: Fields({ evaluator: t.String({ maxLength: 100 }), shadow: text(10) }) },
    );
};

const DEFAULT_METRIC = "correctness";

const toLabel = ({
  metric,
  value,
  failure,
  comment,
}: {
  metric: string;
  value?: string;
  failure?: string;
  comment?: string;
}) => ({
  metric,
  value: Number(value),
  failure: failure && Object.hasOwn(FAILURE_WORDS, failure) ? (failure as FailureKind) : null,
  comment: comment ?? "",
});
