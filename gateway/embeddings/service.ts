import { AppError, toAppError } from "../../lib/errors";
import { inOrder } from "../../lib/in-order";
import type { Span, Tracer } from "../../lib/tracing/tracer";
import type { AnswerCache } from "../cache/service";
import { type Call, callerOf, timeLeft } from "../call";
import type { CacheReport } from "../contract";
import { estimateTokens, type Ledger } from "../limits/ledger";
import type { Models, ResolvedModel } from "../models/registry";
import type { Engine } from "../ports/engine";
import type { GenerationSample, Recorder } from "../ports/recorder";
import { endGeneration, endIfFailed, startGeneration } from "../tracing/generation-span";
import type { EmbeddingRequest } from "./contract";
import {
  addPrefix,
  cutBatches,
  distinct,
  type EmbeddingInput,
  type EmbeddingInputs,
  type InputType,
  type Missing,
  readInputs,
} from "./inputs";
import { fromStored, inCallersWords, readVectors, toNumbers, toStored, type Vector } from "./vectors";

/** The vectors of a request, with its usage and timings. */
export interface Embeddings extends NodeReport {
  model: string;
  /** In the order of the inputs. */
  vectors: Vector[];
  /** Tokens of all inputs, computed or cached. */
  promptTokens: number;
  /** Number of inputs found in the cache. */
  hits: number;
  /** Number of computed inputs. Identical inputs count once. */
  misses: number;
  cache: CacheReport;
  /** Milliseconds since arrival. */
  totalMs: number;
}

interface EmbeddedTexts {
  vectors: Float32Array[];
  model: string;
  modelRevision: string;
}

interface EmbeddingDeps {
  engine: Engine;
  ledger: Pick<Ledger, "useModel">;
  models: Pick<Models, "resolve">;
  answers: Pick<AnswerCache, "entries">;
  recorder: Pick<Recorder, "generation">;
  tracer?: Tracer;
  /** Timeout for a complete response, in milliseconds. */
  totalMs: number;
}

interface Wanted extends EmbeddingInputs {
  model?: string;
  dimensions?: number;
  type?: InputType;
}

/** Every method throws AppError as `Engine.request` does, invalid_request and not_cached. */
export const createEmbeddings = ({ engine, ledger, models, answers, recorder, tracer, totalMs }: EmbeddingDeps) => {
  const readEntries = ({ principal, directives }: Call, model: ResolvedModel, parts: Record<string, unknown>[]) =>
    answers.entries(
      {
        keyId: principal.keyId,
        tags: [`model:${model.id}`],
        bypass: model.isKnown ? undefined : "the model's revision is not known yet",
        // The vectors of keys without content logging are not stored either.
        directives: principal.contentLogging ? directives : { ...directives, noStore: true },
      },
      parts,
    );

  /** The vectors of distinct inputs, in order: from the cache, or computed and stored. */
  const findVectors = async (work: NodeWork, inputs: readonly EmbeddingInput[]) => {
    const parts = inputs.map((input) => cacheParts(input, work));
    const { values: stored, report: cache, keep } = await readEntries(work.call, work.model, parts);
    const gatewayMs = performance.now() - work.call.receivedAt;
    const vectors = stored.map((value) => (value === undefined ? undefined : fromStored(value)));
    const missing = inputs.map((input, index) => ({ input, index })).filter(({ index }) => !vectors[index]);
    let computedTokens = 0;
    const use = missing.length === 0 ? undefined : await reserve(work, missing);
    const startedAt = performance.now();
    let report: NodeReport | undefined;
    try {
      report = await computeVectors(engine, work, missing, async (index, vector) => {
        vectors[index] = vector;
        computedTokens += vector.tokens;
        await keep(index, toStored(vector));
      });
    } finally {
      const heldMs = Math.max(0, performance.now() - startedAt - (report?.queueMs ?? 0));
      if (report || computedTokens > 0) use?.settle({ promptTokens: computedTokens, answerTokens: 0, heldMs });
      else use?.cancel();
    }
    return { stored, cache, vectors, report, gatewayMs, computed: missing.length, computedTokens };
  };

  const reserve = ({ call, model }: NodeWork, missing: readonly Missing[]) =>
    ledger.useModel(call, model, () => ({
      isEmbedding: true,
      promptTokens: missing.reduce((sum, { input }) => sum + tokensIn(input), 0),
      answerTokens: 0,
    }));

  const embed = async (call: Call, { inputs, nameOf, ...wanted }: Wanted): Promise<Embeddings> => {
    const model = models.resolve(call.principal, "embedding", wanted.model);
    if (call.report) call.report.model = model.id;
    // Requesting the model's own length is the same as omitting `dimensions`.
    const dimensions = wanted.dimensions === model.dimensions ? undefined : wanted.dimensions;
    const { inputs: once, places } = distinct(addPrefix(inputs, model, wanted.type));
    const span = tracer && startGeneration(tracer, call, embeddingOf(model, dimensions));
    const work = { call, model, dimensions, totalMs, span, nameOf: (index: number) => nameOf(places.indexOf(index)) };
    const finding = findVectors(work, once);
    const found = await (span ? endIfFailed(span, finding) : finding);
    const vectors = places.map((place) => found.vectors[place]).filter((vector) => vector !== undefined);
    const elapsedMs = performance.now() - call.receivedAt;
    const sample: GenerationSample = {
      operation: "embedding",
      caller: call.principal,
      model: model.id,
      node: found.report.node,
      stream: false,
      cache: found.cache,
      gatewayMs: found.gatewayMs,
      queueMs: found.report.queueMs,
      ttftMs: elapsedMs,
      totalMs: elapsedMs,
      promptTokens: found.computedTokens,
      completionTokens: 0,
    };
    recorder.generation(sample);
    call.report?.generated(sample);
    if (span) endGeneration(span, sample);
    return {
      ...found.report,
      model: model.id,
      vectors,
      promptTokens: vectors.reduce((sum, { tokens }) => sum + tokens, 0),
      hits: places.filter((place) => found.stored[place] !== undefined).length,
      misses: found.computed,
      cache: found.cache,
      totalMs: elapsedMs,
    };
  };

  return {
    embed: (
      call: Call,
      { input, model, dimensions, input_type: type }: Omit<EmbeddingRequest, "encoding_format" | "user" | "store">,
    ) => embed(call, { ...readInputs(input), model, dimensions, type }),

    /**
     * Embeds a question with the model's query prefix, L2-normalised. If it is too long, only its end is embedded. Also
     * returns the model's revision.
     */
    async embedQuery(call: Call, model: string, text: string): Promise<{ vector: Float32Array; revision: string }> {
      for (let part = text; ; part = part.slice(Math.ceil(part.length / 2)).toWellFormed()) {
        try {
          const { vectors, modelRevision } = await embed(call, { ...readInputs(part), model, type: "query" });
          if (vectors[0]) return { vector: toNumbers(vectors[0]), revision: modelRevision };
        } catch (thrown) {
          if (toAppError(thrown).kind !== "context_length_exceeded" || part.length < 2) throw thrown;
        }
      }
    },

    /** Embeds texts with the default model for other services. Vectors have length 1 and are in the order of the texts. */
    async embedTexts(call: Call, texts: string[]): Promise<EmbeddedTexts> {
      const { vectors, model, modelRevision } = await embed(call, readInputs(texts));
      return { vectors: vectors.map(toNumbers), model, modelRevision };
    },
  };
};

export type EmbeddingService = ReturnType<typeof createEmbeddings>;

/** The tokens of an input, estimated unless it consists of tokens. */
const tokensIn = (input: EmbeddingInput): number => (typeof input === "string" ? estimateTokens(input) : input.length);

const embeddingOf = ({ id }: ResolvedModel, dimensions: number | undefined) =>
  ({ operation: "embedding", model: id, stream: false, parameters: { dimensions } }) as const;

/** Everything that affects a vector, by name, in a fixed order. */
const cacheParts = (input: EmbeddingInput, { model, dimensions }: NodeWork) => ({
  operation: "embedding",
  model: model.id,
  revision: model.revision,
  dimensions,
  input,
});

export interface NodeWork {
  call: Call;
  model: ResolvedModel;
  dimensions: number | undefined;
  /** Timeout for the complete response, in milliseconds. */
  totalMs: number;
  /** Undefined: the request is not traced. */
  span?: Span;
  /** An input's name in the caller's request. */
  nameOf(index: number): string;
}

/** Facts about how the nodes computed one request. */
interface NodeReport {
  /** The node that answered first. */
  node: string | undefined;
  modelRevision: string;
  /** The longest time that a batch waited for a slot, in milliseconds. */
  queueMs: number;
  /** Number of retries, on the same node or another one. */
  retries: number;
}

/** Maximum parallel requests to nodes per caller request. */
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
  { call, model, dimensions, totalMs, span }: NodeWork,
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
  return readVectors(Buffer.concat(pieces).toString(), batch.length);
};

/** Vectors from different model revisions can't be compared, so a response must not mix them. */
const otherRevision = (model: string): AppError =>
  new AppError(
    "unavailable",
    `The nodes have different revisions of ${model}. Try again after all nodes are updated.`,
    { retryAfterMs: 2000 },
  );
