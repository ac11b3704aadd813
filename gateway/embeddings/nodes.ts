import { AppError } from "../../lib/errors";
import type { Call } from "../call";
import type { ResolvedModel } from "../models/registry";
import type { Engine } from "../ports/engine";
import { cutBatches, type Missing } from "./inputs";
import { inParallel } from "./parallel";
import { inCallersWords, readVectors, type Vector } from "./vectors";

export interface NodeWork {
  call: Call;
  model: ResolvedModel;
  dimensions: number | undefined;
  /** Milliseconds for the whole answer. */
  totalMs: number;
  /** What the caller's request calls an input. */
  nameOf(index: number): string;
}

/** What the nodes did for one request. */
export interface NodeReport {
  /** The one that answered first. */
  node: string | undefined;
  modelRevision: string;
  /** Milliseconds: the longest wait of a batch for a slot. */
  queueMs: number;
  /** How often a node was asked again, or another one. */
  retries: number;
}

/** Requests to nodes that one caller's request runs at once. */
const BATCHES_AT_ONCE = 4;

/**
 * Computes vectors on the nodes, in batches of bounded size, several at once; `onVector` gets each as its batch is done.
 * The first failure ends all of them. Throws as `Engine.request` does.
 */
export const computeVectors = async (
  engine: Engine,
  work: NodeWork,
  inputs: readonly Missing[],
  onVector: (index: number, vector: Vector) => Promise<void>,
): Promise<NodeReport> => {
  const report: NodeReport = { node: undefined, modelRevision: work.model.revision, queueMs: 0, retries: 0 };
  await inParallel(cutBatches(inputs), BATCHES_AT_ONCE, work.call.signal, async (batch, signal) => {
    const vectors = await requestVectors(engine, work, batch, signal, report).catch((thrown) => {
      throw inCallersWords(thrown, (place) => work.nameOf(batch[place]?.index ?? place));
    });
    await Promise.all(
      vectors.map((vector, place) => {
        const missing = batch[place];
        return missing && onVector(missing.index, vector);
      }),
    );
  });
  return report;
};

const requestVectors = async (
  engine: Engine,
  { call, model, dimensions, totalMs }: NodeWork,
  batch: readonly Missing[],
  signal: AbortSignal,
  report: NodeReport,
): Promise<Vector[]> => {
  const input = batch.map((missing) => missing.input);
  const reply = await engine.request({
    route: "/v1/embeddings",
    model: model.id,
    body: JSON.stringify({ model: model.id, input, encoding_format: "base64", dimensions }),
    stream: false,
    requestId: call.requestId,
    fairKey: call.principal.keyId,
    priority: call.priority,
    deadlineMs: totalMs - (performance.now() - call.receivedAt),
    signal,
    traceparent: call.traceparent,
  });
  const pieces = await Array.fromAsync(reply.body);
  if (!model.isKnown && report.node === undefined) report.modelRevision = reply.modelRevision;
  if (reply.modelRevision !== report.modelRevision) throw otherRevision(model.id);
  report.node ??= reply.node;
  report.queueMs = Math.max(report.queueMs, reply.queueMs);
  report.retries += reply.retries;
  return readVectors(Buffer.concat(pieces).toString(), batch.length);
};

/** Vectors of two revisions can't be compared, and the answer could hold both. */
const otherRevision = (model: string): AppError =>
  new AppError("unavailable", `The nodes have different revisions of ${model}. Try again when all have the same.`, {
    retryAfterMs: 2000,
  });
