import { Counter, type Registry } from "prom-client";
import { OPERATIONS, PROVIDER } from "../../lib/tracing/gen-ai";
import { type GenerationSample, isAnswer, type RequestSample } from "../ports/recorder";
import { FastCounter, FastHistogram, memo } from "./fast-instruments";
import { errorKindOf, FAULT_DOMAINS, faultDomainOf, isFailure } from "./fault-domain";

/** OpenTelemetry's bucket bounds for the duration of a GenAI request. */
const DURATION_SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];

/** Bucket bounds from OpenTelemetry's GenAI conventions. */
const FIRST_TOKEN_SECONDS = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const PER_TOKEN_SECONDS = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];
const TOKENS = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864];
const OVERHEAD_SECONDS = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1];

const LABELS = ["gen_ai_operation_name", "gen_ai_request_model", "gen_ai_response_model", "gen_ai_provider_name"];

/**
 * Metrics of generations, named after OpenTelemetry's GenAI conventions, in Prometheus' format. They count the work of
 * models, so answers from the cache or from another request's generation only count as cache requests.
 */
export const generationInstruments = (registry: Registry) => {
  const histogram = (name: string, help: string, buckets: number[], labels: string[] = []) =>
    new FastHistogram({ name, help, buckets, labelNames: [...LABELS, ...labels], registers: [registry] });
  const tokens = histogram("gen_ai_client_token_usage", "Tokens of prompt (input) and answer (output)", TOKENS, [
    "gen_ai_token_type",
  ]);
  const durations = histogram(
    "gen_ai_server_request_duration_seconds",
    "Duration of the whole generation",
    DURATION_SECONDS,
    ["error_type"],
  );
  const calls = histogram(
    "gen_ai_client_operation_duration_seconds",
    "From sending the request to the node until the end of its answer",
    DURATION_SECONDS,
    ["error_type"],
  );
  const firstToken = histogram(
    "gen_ai_server_time_to_first_token_seconds",
    "From arrival at the gateway to the first token of an answer",
    FIRST_TOKEN_SECONDS,
  );
  const perToken = histogram(
    "gen_ai_server_time_per_output_token_seconds",
    "Mean time per token after the first one",
    PER_TOKEN_SECONDS,
  );
  const queue = histogram("groundwire_queue_duration_seconds", "Time spent waiting for a slot", FIRST_TOKEN_SECONDS);
  const overhead = new FastHistogram({
    name: "groundwire_gateway_overhead_seconds",
    help: "From arrival until the node got the request or the answer was found in the cache",
    buckets: OVERHEAD_SECONDS,
    registers: [registry],
  });
  const observeOverhead = overhead.series({});
  const cacheRequests = new FastCounter({
    name: "groundwire_cache_requests_total",
    help: "Requests by cache outcome; source is the layer of a hit, in_flight for a joined generation",
    labelNames: ["status", "source"],
    registers: [registry],
  });

  const seriesOf = memo((operation: GenerationSample["operation"]) =>
    memo((model: string) => {
      const labels = {
        gen_ai_operation_name: OPERATIONS[operation],
        gen_ai_request_model: model,
        gen_ai_response_model: model,
        gen_ai_provider_name: PROVIDER,
      };
      return {
        input: tokens.series({ ...labels, gen_ai_token_type: "input" }),
        durations: memo((kind: GenerationSample["errorKind"]) => {
          const outcome = { ...labels, error_type: kind ?? "" };
          return { request: durations.series(outcome), call: calls.series(outcome) };
        }),
        queue: queue.series(labels),
        answer: isAnswer(operation)
          ? {
              output: tokens.series({ ...labels, gen_ai_token_type: "output" }),
              firstToken: firstToken.series(labels),
              perToken: perToken.series(labels),
            }
          : undefined,
      };
    }),
  );
  const cacheCounter = memo((status: string) => memo((source: string) => cacheRequests.series({ status, source })));

  return (sample: GenerationSample): void => {
    const { cache, gatewayMs, ttftMs, totalMs, completionTokens } = sample;
    cacheCounter(cache.status)(cache.kind ?? "")();
    if (gatewayMs !== undefined) observeOverhead(gatewayMs / 1000);
    if (cache.status === "hit" || cache.status === "joined") return;
    const series = seriesOf(sample.operation)(sample.model);
    const outcome = series.durations(sample.errorKind);
    outcome.request(totalMs / 1000);
    if (gatewayMs !== undefined) outcome.call((totalMs - gatewayMs) / 1000);
    series.queue(sample.queueMs / 1000);
    series.input(sample.promptTokens);
    if (!series.answer) return;
    series.answer.output(completionTokens);
    if (sample.errorKind === undefined) series.answer.firstToken(ttftMs / 1000);
    if (completionTokens > 1) series.answer.perToken((totalMs - ttftMs) / 1000 / (completionTokens - 1));
  };
};

/**
 * The conventions' bucket bounds for HTTP, and longer ones for streams. The number of series is bounded: by routes,
 * methods, statuses and kinds of errors.
 */
const HTTP_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60, 120];

/** Metrics of requests by route pattern, named after OpenTelemetry's HTTP conventions, and their errors by fault domain. */
export const httpInstruments = (registry: Registry) => {
  const registers = [registry];
  const errors = new Counter({
    name: "groundwire_http_errors_total",
    help: "Responses with status 400 or higher, except 499 (ended by the client), by fault domain; unclassified must stay 0",
    labelNames: ["domain", "code", "route"],
    registers,
  });
  const durations = new FastHistogram({
    name: "http_server_request_duration_seconds",
    help: "From arrival to the last byte of the response, by route pattern; unmatched: no route has that path and method",
    labelNames: ["http_request_method", "http_route", "url_scheme", "http_response_status_code", "error_type"],
    buckets: HTTP_SECONDS,
    registers,
  });
  // Exports zeros for domains without errors, so that they can be monitored.
  for (const domain of FAULT_DOMAINS) errors.inc({ domain, code: "", route: "" }, 0);

  const instrumentsOf = memo((method: string) =>
    memo((route: string) => {
      const labels = { http_request_method: method, http_route: route, url_scheme: "http" };
      return {
        duration: memo((status: number) =>
          memo((kind: RequestSample["errorKind"]) =>
            durations.series({ ...labels, http_response_status_code: String(status), error_type: kind ?? "" }),
          ),
        ),
        error: memo((kind: RequestSample["errorKind"]) => errors.labels(faultDomainOf(kind), kind ?? "", route)),
      };
    }),
  );
  return (sample: RequestSample): void => {
    const { method, route, status } = sample;
    const instruments = instrumentsOf(method)(route);
    const hasFailed = isFailure(sample);
    const kind = hasFailed ? errorKindOf(sample) : undefined;
    instruments.duration(status)(kind)(sample.durationMs / 1000);
    if (hasFailed) instruments.error(kind).inc();
  };
};

/** Metrics of questions to indexes. The index is not a label, because there can be any number of them. */
export const retrievalInstruments = (registry: Registry) => {
  const registers = [registry];
  const retrievals = new FastHistogram({
    name: "gen_ai_retrieval_duration_seconds",
    help: "Searching an index for a question, including embedding it and reranking",
    labelNames: ["gen_ai_operation_name", "gen_ai_provider_name"],
    buckets: FIRST_TOKEN_SECONDS,
    registers,
  });
  const stages = new FastHistogram({
    name: "groundwire_rag_stage_duration_seconds",
    help: "Stages of an answer from an index",
    labelNames: ["stage"],
    buckets: FIRST_TOKEN_SECONDS,
    registers,
  });
  const observeRetrieval = retrievals.series({ gen_ai_operation_name: "retrieval", gen_ai_provider_name: PROVIDER });
  const observe = memo((stage: string) => stages.series({ stage }));
  return (stagesMs: RetrievalStages): void => {
    let retrievalMs = 0;
    for (const stage of STAGES) {
      const ms = stagesMs[stage];
      if (ms === undefined) continue;
      observe(stage)(ms / 1000);
      if (SEARCHING.has(stage)) retrievalMs += ms;
    }
    observeRetrieval(retrievalMs / 1000);
  };
};

const STAGES = [
  "embed",
  "filter",
  "vector",
  "keyword",
  "fusion",
  "rerank",
  "prompt",
  "generation",
  "grounding",
] as const;
const SEARCHING: ReadonlySet<string> = new Set(["embed", "filter", "vector", "keyword", "fusion", "rerank"]);

/** Milliseconds; a stage that did not run is left out. */
export type RetrievalStages = Partial<Record<(typeof STAGES)[number], number>>;
