import { AppError, toAppError } from "../../lib/errors";
import { inOrder } from "../../lib/in-order";
import type { Span } from "../../lib/tracing/tracer";
import { type Call, callerOf, timeLeft } from "../call";
import type { ResolvedModel } from "../models/registry";
import type { Engine, EngineRequest } from "../ports/engine";

/* Requests to nodes that read many texts: embeddings and reranking. */

/** An input to compute, and its index in the list. */
export interface Missing<Input> {
  index: number;
  input: Input;
}

/** Maximum inputs per batch. TEI, which may run behind a node, accepts no more by default. */
const MAX_BATCH_INPUTS = 32;
/**
 * Maximum characters or tokens per batch, so that no request occupies a node for long. A longer input is a batch of its
 * own.
 */
const MAX_BATCH_LENGTH = 32_768;

/** Splits inputs into batches, in order. Each batch is one request to a node. */
export const cutBatches = <Input extends { readonly length: number }>(
  inputs: readonly Missing<Input>[],
): Missing<Input>[][] => {
  const batches: Missing<Input>[][] = [];
  let length = 0;
  for (const missing of inputs) {
    const current = batches.at(-1);
    length += missing.input.length;
    if (current && current.length < MAX_BATCH_INPUTS && length <= MAX_BATCH_LENGTH) current.push(missing);
    else {
      batches.push([missing]);
      length = missing.input.length;
    }
  }
  return batches;
};

export interface NodeWork {
  call: Call;
  model: ResolvedModel;
  /** Timeout for the complete response, in milliseconds. */
  totalMs: number;
  /** Undefined: the request is not traced. */
  span?: Span;
  /** An input's name in the caller's request. */
  nameOf(index: number): string;
}

/** Facts about how the nodes computed one request. */
export interface NodeReport {
  /** The node that answered first. */
  node: string | undefined;
  modelRevision: string;
  /** The longest time that a batch waited for a slot, in milliseconds. */
  queueMs: number;
  /** Number of retries, on the same node or another one. */
  retries: number;
}

/** How a batch is sent to a node, and how its response is read. */
export interface BatchRoute<Input, Output> {
  route: EngineRequest["route"];
  bodyOf(inputs: readonly Input[]): object;
  /** The outputs in a node's response, in the order of the batch's `count` inputs. Throws upstream_error. */
  read(json: string, count: number): Output[];
}

/** Maximum parallel requests to nodes per caller request. */
const MAX_PARALLEL_BATCHES = 4;

/**
 * Computes outputs on the nodes in parallel batches of limited size, and calls `onOutput` for each output. The first
 * failure aborts all batches. Throws what `Engine.request` and `onOutput` throw.
 */
export const computeBatches = async <Input extends { readonly length: number }, Output>(
  engine: Engine,
  work: NodeWork,
  inputs: readonly Missing<Input>[],
  route: BatchRoute<Input, Output>,
  onOutput: (index: number, output: Output) => Promise<void> | void,
): Promise<NodeReport> => {
  const report: NodeReport = { node: undefined, modelRevision: work.model.revision, queueMs: 0, retries: 0 };
  const failed = new AbortController();
  const signal = AbortSignal.any([work.call.signal, failed.signal]);
  await inOrder(cutBatches(inputs), MAX_PARALLEL_BATCHES, async (batch) => {
    try {
      const texts = batch.map(({ input }) => input);
      const outputs = await requestBatch(engine, work, texts, route, signal, report).catch((thrown) => {
        throw inCallersWords(thrown, (place) => work.nameOf(batch[place]?.index ?? place));
      });
      await Promise.all(outputs.map((output, place) => onOutput(batch[place]?.index ?? place, output)));
    } catch (error) {
      failed.abort();
      throw error;
    }
  });
  return report;
};

const requestBatch = async <Input, Output>(
  engine: Engine,
  { call, model, totalMs, span }: NodeWork,
  inputs: readonly Input[],
  { route, bodyOf, read }: BatchRoute<Input, Output>,
  signal: AbortSignal,
  report: NodeReport,
): Promise<Output[]> => {
  const reply = await engine.request({
    route,
    model: model.id,
    body: JSON.stringify(bodyOf(inputs)),
    stream: false,
    ...callerOf(call, span),
    ...timeLeft(call, totalMs),
    signal,
  });
  const pieces = await Array.fromAsync(reply.body);
  if (!model.isKnown && report.node === undefined) report.modelRevision = reply.modelRevision;
  if (reply.modelRevision !== report.modelRevision) throw otherRevision(model.id);
  report.node ??= reply.node;
  report.queueMs = Math.max(report.queueMs, reply.queueMs);
  report.retries += reply.retries;
  return read(Buffer.concat(pieces).toString(), inputs.length);
};

/** Results of different model revisions can't be compared, so a response must not mix them. */
const otherRevision = (model: string): AppError =>
  new AppError(
    "unavailable",
    `The nodes have different revisions of ${model}. Try again after all nodes are updated.`,
    { retryAfterMs: 2000 },
  );

/**
 * Rewrites a node's error about `input.3` or `documents.3` so that it names the text's position in the caller's
 * request.
 */
export const inCallersWords = (thrown: unknown, nameOf: (index: number) => string): AppError => {
  const error = toAppError(thrown);
  const { param: own = "" } = error.detail;
  const index = /^(?:input|documents)\.(\d+)$/.exec(own)?.[1];
  if (index === undefined) return error;
  const param = nameOf(Number(index));
  return new AppError(error.kind, error.message.replace(own, param), { ...error.detail, param });
};
