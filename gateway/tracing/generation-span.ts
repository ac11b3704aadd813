import { toAppError } from "../../lib/errors";
import { OPERATIONS, PROVIDER } from "../../lib/tracing/gen-ai";
import type { Span, Tracer } from "../../lib/tracing/tracer";
import type { Call } from "../call";
import { type GenerationSample, isAnswer } from "../ports/recorder";

/** The parameters of a request that a span shows. Its content, including stop strings, is left out. */
interface Parameters {
  max_tokens?: number | null;
  max_completion_tokens?: number | null;
  temperature?: number | null;
  top_p?: number | null;
  top_k?: number | null;
  seed?: number | null;
  presence_penalty?: number | null;
  frequency_penalty?: number | null;
  dimensions?: number;
}

interface Generation {
  operation: GenerationSample["operation"];
  model: string;
  stream: boolean;
  parameters: Parameters;
}

/** Starts the span of a call to a model, answered by a node or from the cache: `chat smollm2-135m-instruct`. */
export const startGeneration = (
  tracer: Tracer,
  call: Pick<Call, "traceparent">,
  { operation, model, stream, parameters }: Generation,
): Span =>
  tracer.start(`${OPERATIONS[operation]} ${model}`, {
    kind: "client",
    parent: call.traceparent,
    attributes: {
      "gen_ai.operation.name": OPERATIONS[operation],
      "gen_ai.provider.name": PROVIDER,
      "gen_ai.request.model": model,
      "gen_ai.request.stream": isAnswer(operation) ? stream : undefined,
      "gen_ai.request.max_tokens": parameters.max_completion_tokens ?? parameters.max_tokens ?? undefined,
      "gen_ai.request.temperature": parameters.temperature ?? undefined,
      "gen_ai.request.top_p": parameters.top_p ?? undefined,
      "gen_ai.request.top_k": parameters.top_k ?? undefined,
      "gen_ai.request.seed": parameters.seed ?? undefined,
      "gen_ai.request.presence_penalty": parameters.presence_penalty ?? undefined,
      "gen_ai.request.frequency_penalty": parameters.frequency_penalty ?? undefined,
      "gen_ai.embeddings.dimension.count": parameters.dimensions,
    },
  });

/** Ends a span if the work in it fails; otherwise the caller ends it. */
export const endIfFailed = <T>(span: Span, work: Promise<T>): Promise<T> =>
  work.catch((thrown: unknown) => {
    span.fail(toAppError(thrown).kind);
    span.end();
    throw thrown;
  });

/** Ends the span of a generation with its measurements. Tokens are only counted if this call generated them. */
export const endGeneration = (span: Span, sample: GenerationSample): void => {
  const { operation, cache, completionTokens, errorKind } = sample;
  const isGenerated = cache.status !== "hit" && cache.status !== "joined";
  span.set({
    "gen_ai.response.model": sample.model,
    "gen_ai.response.time_to_first_chunk": sample.stream ? sample.ttftMs / 1000 : undefined,
    "gen_ai.usage.input_tokens": isGenerated ? sample.promptTokens : undefined,
    "gen_ai.usage.output_tokens": isGenerated && isAnswer(operation) ? completionTokens : undefined,
    "groundwire.cache.status": cache.status,
    "groundwire.cache.source": cache.kind,
    "groundwire.node": sample.node,
    "groundwire.gateway_ms": sample.gatewayMs,
    "groundwire.queue_ms": sample.queueMs,
  });
  if (errorKind) span.fail(errorKind);
  span.end();
};
