import { toAppError } from "../../lib/errors";
import type { Tracer } from "../../lib/tracing/tracer";
import type { AnswerCache } from "../cache/service";
import type { Call } from "../call";
import type { CacheReport } from "../contract";
import { estimateTokens, type Ledger } from "../limits/ledger";
import type { Models, ResolvedModel } from "../models/registry";
import type { Engine } from "../ports/engine";
import type { GenerationSample, Recorder } from "../ports/recorder";
import { endGeneration, endIfFailed, startGeneration } from "../tracing/generation-span";
import { computeBatches, type Missing, type NodeReport, type NodeWork } from "./batches";
import type { EmbeddingRequest } from "./contract";
import { addPrefix, distinct, type EmbeddingInput, type EmbeddingInputs, type InputType, readInputs } from "./inputs";
import { fromStored, readVectors, toNumbers, toStored, type Vector } from "./vectors";

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
  const findVectors = async (work: EmbeddingWork, inputs: readonly EmbeddingInput[]) => {
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
      report = await computeBatches(engine, work, missing, vectorsOf(work), async (index, vector) => {
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

  const reserve = ({ call, model }: NodeWork, missing: readonly Missing<EmbeddingInput>[]) =>
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

interface EmbeddingWork extends NodeWork {
  dimensions: number | undefined;
}

const vectorsOf = ({ model, dimensions }: EmbeddingWork) => ({
  route: "/v1/embeddings" as const,
  bodyOf: (input: readonly EmbeddingInput[]) => ({ model: model.id, input, encoding_format: "base64", dimensions }),
  read: readVectors,
});

/** Everything that affects a vector, by name, in a fixed order. */
const cacheParts = (input: EmbeddingInput, { model, dimensions }: EmbeddingWork) => ({
  operation: "embedding",
  model: model.id,
  revision: model.revision,
  dimensions,
  input,
});
