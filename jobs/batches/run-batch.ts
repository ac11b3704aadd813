import { type BatchProblem, type BatchRow, findBatch, findBatchOfJob, updateBatch } from "../../db/batches";
import type { Db, Tx } from "../../db/client";
import { findFile } from "../../db/files";
import type { ClaimedTask } from "../../db/jobs";
import type { EndpointName } from "../../gateway/batches/endpoints";
import type { BatchRequestsPayload } from "../../gateway/batches/job";
import { type FileLine, readLines } from "../../gateway/batches/lines";
import { type BatchRequest, toResult } from "../../gateway/batches/results";
import { type ValidatedFile, validateFile } from "../../gateway/batches/validate";
import type { ImageRules } from "../../gateway/chat/images";
import type { DefaultLimits } from "../../gateway/keys/rules";
import type { Model } from "../../gateway/models/contract";
import type { Uploads } from "../../gateway/uploads/service";
import type { Config } from "../../lib/config";
import { AppError, toAppError, toEnvelope } from "../../lib/errors";
import { newUlid } from "../../lib/ids";
import type { Log } from "../../lib/log";
import { CallLimiter } from "../batch-evals/call-limiter";
import { principalOf } from "../batch-evals/handlers";
import { ModelCalls } from "../batch-evals/model-calls";
import { RunStopped } from "../batch-evals/stops";
import type { GatewayClient } from "../gateway-client";
import { type TaskContext, TaskLost } from "../handler";
import { BatchRun, BatchStopped, failedBy } from "./batch-run";
import { writeOutputFiles } from "./output-files";

/** Maximum parallel requests of a batch. Backpressure from the nodes lowers it. */
const MAX_PARALLEL = 64;

export interface BatchRequestsDeps {
  db: Db;
  log: Pick<Log, "info" | "error">;
  gateway: Pick<GatewayClient, "requestOnce" | "listModels">;
  uploads: Pick<Uploads, "read" | "receive" | "discard">;
  settings: Config["batches"] & {
    /** Maximum length of a line in an input file. */
    maxLineBytes: number;
    fallbacks: readonly string[];
    images: ImageRules;
    /** Limits for keys that don't have their own. */
    defaults: DefaultLimits;
  };
  now(): Date;
}

/** Runs a batch from where the last worker stopped, and ends its task. Can be called again after any error. */
export const runBatch = async (deps: BatchRequestsDeps, task: ClaimedTask, context: TaskContext): Promise<void> => {
  const { db, uploads, settings, now } = deps;
  const { batchId, error } = task.job.payload as unknown as BatchRequestsPayload;
  const batch = await findBatch(db, batchId);
  if (batch?.jobId !== task.jobId || batch.endedAt) return context.finish(async () => ({}));
  const file = await findFile(db, batch.createdBy, batch.inputFileId);
  if (!file) throw new AppError("not_found", `The input file ${batch.inputFileId} no longer exists.`);
  const lines = () => readLines(uploads.read(file.uploadId), settings.maxLineBytes);

  const keyOf = () => principalOf({ db, defaults: settings.defaults }, batch.createdBy, now());
  const limiter = new CallLimiter(MAX_PARALLEL);
  const calls = new ModelCalls({ limiter, checkKey: async () => void (await keyOf()), areIndependent: true });
  const stopped = error ? new BatchStopped("failed", error) : await reasonToStop(keyOf);

  const isOpen = batch.status !== "validating" || (await begin(deps, calls, context, batch, lines, stopped));
  if (!isOpen) return context.finish(async () => ({}));
  if (batch.ending === null) {
    const run = new BatchRun({
      ...{ db, context, batchId, task, lines, limiter, now },
      send: (request, signal) => send(deps, calls, batch, request, signal),
    });
    const stop = await run.run(stopped);
    await context.write((tx) => changeBatch(tx, batch, (row) => endingOf(row, stop, now())));
  }
  const ended = await findBatch(db, batchId);
  if (!ended) throw new TaskLost();
  await writeOutputFiles({ db, uploads, fileDays: settings.fileDays, now }, context, ended);
  const { total, completed, failed } = ended;
  deps.log.info({ batch: batchId, total, completed, failed }, "a batch ended in this worker");
};

/** Changes a batch. Returns false if it now belongs to another job or has ended. */
const changeBatch = async (
  tx: Tx,
  { id, jobId }: BatchRow,
  change: (row: BatchRow) => Partial<BatchRow>,
): Promise<boolean> => {
  const row = await findBatchOfJob(tx, id, jobId);
  if (row) await updateBatch(tx, id, change(row));
  return row !== undefined;
};

/**
 * Checks the input file of a new batch. Returns false if it is invalid, or if the batch was cancelled in the meantime.
 */
const begin = async (
  deps: BatchRequestsDeps,
  calls: ModelCalls,
  context: TaskContext,
  batch: BatchRow,
  lines: () => AsyncGenerator<FileLine>,
  stopped: BatchStopped | undefined,
): Promise<boolean> => {
  const validated = stopped
    ? { total: 0, model: null, problems: [problemOf(stopped)] }
    : await validate(deps, calls, context, batch, lines());
  const { total, model, problems: errors } = validated;
  const isValid = errors.length === 0;
  const at = deps.now();
  const change = isValid
    ? { status: "in_progress" as const, total, model, inProgressAt: at }
    : { status: "failed" as const, errors, endedAt: at };
  return (await context.write((tx) => changeBatch(tx, batch, () => change))) && isValid;
};

/** The changes once all requests have results. A batch that was cancelled just before still ends as cancelled. */
const endingOf = ({ status }: BatchRow, stop: BatchStopped | undefined, finalizingAt: Date): Partial<BatchRow> => {
  if (status === "cancelling") return { ending: "cancelled" };
  const ending = stop?.ending ?? "completed";
  return {
    ending,
    status: "finalizing",
    finalizingAt,
    ...(ending === "failed" && stop && { errors: [problemOf(stop)] }),
  };
};

const problemOf = ({ error: { code, message } }: BatchStopped): BatchProblem => ({
  ...{ code, message },
  line: null,
  param: null,
});

/** Why a batch must stop if its key is no longer valid; otherwise undefined. */
const reasonToStop = async (keyOf: () => Promise<unknown>): Promise<BatchStopped | undefined> => {
  try {
    await keyOf();
    return undefined;
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.kind === "invalid_api_key") return failedBy(error);
    throw thrown;
  }
};

const validate = async (
  { db, gateway, settings, now }: BatchRequestsDeps,
  calls: ModelCalls,
  { signal }: TaskContext,
  { createdBy, endpoint }: BatchRow,
  lines: AsyncGenerator<FileLine>,
): Promise<ValidatedFile> => {
  const { allowedModels } = await principalOf({ db, defaults: settings.defaults }, createdBy, now());
  const list: Model[] = await calls.send(
    signal,
    () => gateway.listModels({ keyId: createdBy, signal }),
    () => null,
    () => {},
  );
  const checked = async function* () {
    for await (const line of lines) {
      signal.throwIfAborted();
      yield line;
    }
  };
  const { fallbacks, ...rules } = settings;
  const models = { list, allowedModels, fallbacks };
  return validateFile(checked(), { ...rules, endpoint: endpoint as EndpointName, models });
};

/**
 * Sends a request, with retries, until it has a result. A final error is a result too. Throws RunStopped, and the
 * signal's reason.
 */
const send = async (
  { gateway, log }: BatchRequestsDeps,
  calls: ModelCalls,
  { id, createdBy: keyId, endpoint }: BatchRow,
  request: BatchRequest,
  signal: AbortSignal,
) => {
  let requestId = "";
  const once = () => {
    requestId = `req_${newUlid()}`;
    return gateway.requestOnce({ keyId, signal, requestId }, endpoint, request.body);
  };
  try {
    const { body } = await calls.send(
      signal,
      once,
      (answer) => answer,
      () => {},
    );
    return toResult(request, { status: 200, requestId, body });
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof RunStopped) throw thrown;
    const error = toAppError(thrown);
    if (error.kind === "internal") log.error({ err: error.cause, batch: id }, "a request of a batch failed");
    return toResult(request, { status: error.status, requestId, body: toEnvelope(error, requestId) });
  }
};
