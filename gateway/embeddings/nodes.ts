import { AppError } from "../../lib/errors";
import { inOrder } from "../../lib/in-order";
import type { Call } from "../call";
import type { ResolvedModel } from "../models/registry";
import type { Engine } from "../ports/engine";
import { cutBatches, type Missing } from "./inputs";
import { inCallersWords, readVectors, type Vector } from "./vectors";

export interface NodeWork {
  call: Call;
  model: ResolvedModel;
  dimensions: number | undefined;
  /** Timeout for the complete response, in milliseconds. */
  totalMs: number;
  /** An input's name in the caller's request. */
  nameOf(index: number): string;
}

/** How the nodes computed one request. */
export interface NodeReport {
  /** The node that answered first. */
  node: string | undefined;
  modelRevision: string;
  /** The longest time that a batch waited for a slot, in milliseconds. */
  queueMs: number;
  /** Number of retries, on the same node or another one. */
  retries: number;
}

/** Maximum parallel requests to nodes per caller's request. */
const MAX_PARALLEL_BATCHES = 4;

/**
 * Computes vectors on the nodes in parallel batches of limited size, and calls `onVector` for each vector. The first
 * failure aborts all batches. Throws what `Engine.request` and `onVector` throw.
 */
export const computeVectors = async (
  engine: Engine,
  work: NodeWork,
  inputs: readonly Missing[],
  onVector: (index: number, vector: Vector) => Promise<void>,
): Promise<NodeReport> => {
  const report: NodeReport = { node: undefined, modelRevision: work.model.revision, queueMs: 0, retries: 0 };
  const failed = new AbortController();
  const signal = AbortSignal.any([work.call.signal, failed.signal]);
  await inOrder(cutBatches(inputs), MAX_PARALLEL_BATCHES, async (batch) => {
    try {
      const vectors = await requestVectors(engine, work, batch, signal, report).catch((thrown) => {
        throw inCallersWords(thrown, (place) => work.nameOf(batch[place]?.index ?? place));
      });
      await Promise.all(vectors.map((vector, place) => onVector(batch[place]?.index ?? place, vector)));
    } catch (error) {
      failed.abort();
      throw error;
    }
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

/** Vectors from different model revisions can't be compared, so a response must not mix them. */
const otherRevision = (model: string): AppError =>
  new AppError(
    "unavailable",
    `The nodes have different revisions of ${model}. Try again after all nodes are updated.`,
    {
      retryAfterMs: 2000,
    },
  );
