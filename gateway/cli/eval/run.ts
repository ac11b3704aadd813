import { existsSync } from "node:fs";
import { basename, extname } from "node:path";
import { AppError, ERROR_KINDS, toAppError } from "../../../lib/errors";
import { drawProgress } from "../../../lib/progress";
import type { BatchEval, StartBatchEval } from "../../batch-evals/contract";
import type { Comparison } from "../../compare/contract";
import type { GateRule, GateVerdict } from "../../compare/gate/contract";
import type { Dataset, UploadResult } from "../../datasets/contract";
import type { SampleResult, SampleResultPage } from "../../evals/contract";
import type { ApiClient } from "../api-client";

/** What to evaluate, and the rules to check the run against. */
export interface EvalRequest {
  /** A file to upload, or the name or id of a dataset on the server. */
  dataset: string;
  /** Name of the dataset for a file. Default: the file's name. */
  name: string | undefined;
  plan: Omit<StartBatchEval, "dataset">;
  rules: GateRule[];
  baseline: string | undefined;
  /** Makes the run the dataset's baseline, unless a rule fails or can't be decided. */
  becomesBaseline: boolean;
}

export interface EvalReport {
  dataset: Dataset;
  run: BatchEval;
  /** null: no rules were given. */
  gate: GateVerdict | null;
  /** With the baseline; null if the dataset has none. */
  comparison: Comparison | null;
  /** The first errors, and the worst results that did not pass. */
  failures: SampleResult[];
}

/**
 * How often a run is read, how long the server may be unreachable during it or compute figures after it, and how long it
 * may be paused, in milliseconds.
 */
const PATIENCE = { pollMs: 300, unreachableMs: 30_000, pausedMs: 15 * 60_000 };
const MAX_FAILURES = 10;
const ENDED: ReadonlySet<BatchEval["state"]> = new Set(["completed", "failed", "cancelled"]);

/**
 * Uploads the dataset, runs the evaluation and checks its gate. Aborting `signal` cancels the run. Throws the API's
 * errors, client_closed if the signal cancelled the run, and unavailable if it fails, was cancelled by someone else, stays
 * paused, or can't be followed.
 */
export const runEval = async (
  api: ApiClient,
  request: EvalRequest,
  signal: AbortSignal,
  patience = PATIENCE,
): Promise<EvalReport> => {
  const dataset = await findOrUpload(api, request);
  const baseline = request.baseline ?? dataset.baseline_run_id;
  if (!baseline && request.rules.some(({ max_regression }) => max_regression !== undefined)) {
    const message = `"${dataset.name}" has no baseline run. Choose one with --baseline, or remove the rules that contain "baseline".`;
    throw new AppError("invalid_request", message);
  }
  signal.throwIfAborted();
  const started = await api.request<BatchEval>("POST", "/v1/batch-evals", {
    ...request.plan,
    dataset: dataset.id,
    revision: dataset.latest.revision,
  });
  const run = await follow(api, started, signal, patience);
  if (run.state === "cancelled" && signal.aborted) throw new AppError("client_closed", "The run was cancelled.");
  if (run.state !== "completed") {
    const why = run.error?.message ?? "Resume it with POST /v1/batch-evals/{id}/resume.";
    const ending = run.state === "failed" ? "failed" : "was cancelled";
    throw new AppError("unavailable", `The run ${run.id} ${ending}. ${why}`);
  }
  const path = `/v1/batch-evals/${run.id}`;
  const gate =
    request.rules.length > 0
      ? await api.request<GateVerdict>("POST", `${path}/gate`, { rules: request.rules, ...(baseline && { baseline }) })
      : null;
  const comparison = baseline
    ? await api.request<Comparison>("GET", `/v1/compare?runs=${baseline},${run.id}&show=worse&limit=${MAX_FAILURES}`)
    : null;
  if (request.becomesBaseline && (gate?.verdict ?? "pass") === "pass")
    await api.request("PATCH", `/v1/datasets/${dataset.id}`, { baseline_run_id: run.id });
  const list = async (query: string) => (await api.request<SampleResultPage>("GET", `${path}/samples?${query}`)).data;
  const errors = await list(`state=error&limit=${MAX_FAILURES / 2}`);
  const failed = await list(`passed=false&sort=worst_first&limit=${MAX_FAILURES - errors.length}`);
  return { dataset, run, gate, comparison, failures: [...errors, ...failed] };
};

/** Finds a dataset on the server, or uploads the file as a new revision. An unchanged file adds none. */
const findOrUpload = async (api: ApiClient, { dataset, name }: EvalRequest): Promise<Dataset> => {
  if (!existsSync(dataset)) {
    if (/[/\\]|\.(jsonl?|csv|parquet)$/i.test(dataset))
      throw new AppError("invalid_request", `The file ${dataset} does not exist.`);
    return api.request<Dataset>("GET", `/v1/datasets/${encodeURIComponent(dataset)}`);
  }
  const named = name ?? basename(dataset, extname(dataset));
  const known = await api
    .request<Dataset>("GET", `/v1/datasets/${encodeURIComponent(named)}`)
    .catch((error: unknown) => {
      if (toAppError(error).kind === "not_found") return undefined;
      throw error;
    });
  const form = new FormData();
  form.append("file", Bun.file(dataset), basename(dataset));
  if (!known) form.append("name", named);
  const path = known ? `/v1/datasets/${known.id}/revisions` : "/v1/datasets";
  const uploaded = await api.request<UploadResult>("POST", path, form);
  if (!uploaded.dataset) throw new Error("An upload that isn't a dry run has a dataset.");
  return uploaded.dataset;
};

/** Shows the progress of a run until it ends. Cancels the run when `signal` is aborted. */
const follow = async (
  api: ApiClient,
  { id, name }: BatchEval,
  signal: AbortSignal,
  { pollMs, unreachableMs, pausedMs }: typeof PATIENCE,
): Promise<BatchEval> => {
  const path = `/v1/batch-evals/${id}`;
  const resume = `POST ${path}/resume`;
  const draw = drawProgress(process.stderr);
  let reachedAt = performance.now();
  let pausedAt: number | undefined;
  let endedAt: number | undefined;
  for (;;) {
    const run = await readOrCancel(api, path, signal.aborted).catch((thrown: unknown) => {
      const { kind, message } = toAppError(thrown);
      if (!ERROR_KINDS[kind].retryable) throw thrown;
      if (performance.now() - reachedAt <= unreachableMs) return undefined;
      throw new AppError("unavailable", `${message} The run ${id} may continue there. POST ${path}/cancel cancels it.`);
    });
    if (run) {
      reachedAt = performance.now();
      const { done, total } = run.progress;
      draw({ task: name, done, total, unit: "results" });
      if (ENDED.has(run.state)) {
        // The figures of a large run may still be computed after its end.
        endedAt ??= reachedAt;
        if (!run.figures_stale || reachedAt - endedAt > unreachableMs) return run;
      } else if (run.state !== "paused") pausedAt = undefined;
      else if (pausedAt === undefined) {
        pausedAt = reachedAt;
        process.stderr.write(`\nThe run was paused. ${resume} resumes it, and Ctrl+C cancels it.\n`);
      } else if (reachedAt - pausedAt > pausedMs) {
        const message = `The run ${id} has been paused for too long. Resume it with ${resume}, and check it with POST ${path}/gate when it has ended.`;
        throw new AppError("unavailable", message);
      }
    }
    await Bun.sleep(pollMs);
  }
};

/** Reads a run. `cancels`: first asks to cancel it, which can be repeated, and is too late for a run that has ended. */
const readOrCancel = async (api: ApiClient, path: string, cancels: boolean): Promise<BatchEval> => {
  if (cancels) {
    await api.request("POST", `${path}/cancel`).catch((thrown: unknown) => {
      if (toAppError(thrown).kind !== "conflict") throw thrown;
    });
  }
  return api.request<BatchEval>("GET", path);
};
