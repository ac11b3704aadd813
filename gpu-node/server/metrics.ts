import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { ErrorKind } from "../../lib/errors";
import { registerProcessMetrics } from "../../lib/process-metrics";
import { OPERATIONS, PROVIDER } from "../../lib/tracing/gen-ai";
import type { EngineUsage, Generation } from "../engine/engine";
import type { EmbeddingAnswer, NodeState, Timings } from "../protocol";
import type { AdmissionQueue } from "../queue/queue";
import type { NodeStatus } from "./status";

const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const STATES: NodeState[] = ["loading", "ready", "draining", "stuck", "failed"];

/** Prometheus metrics of one node; names and labels follow OpenTelemetry's conventions for GenAI where it has them. */
export class NodeMetrics {
  readonly registry = new Registry();
  readonly #answerLabels = ["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_response_model"] as const;
  readonly #duration = this.#histogram(
    "gen_ai_server_request_duration_seconds",
    "Time from arrival to the end of the answer",
  );
  readonly #firstToken = this.#histogram(
    "gen_ai_server_time_to_first_token_seconds",
    "Time from arrival to the first token",
  );
  readonly #perToken = this.#histogram("gen_ai_server_time_per_output_token_seconds", "Time per token after the first");
  readonly #queued = this.#histogram("groundwire_node_queue_duration_seconds", "Time waiting for a slot");
  readonly #tokens = new Counter({
    name: "groundwire_node_tokens_total",
    help: "Tokens read (input), found in the KV cache (cached) and generated (output), including those of incomplete answers",
    labelNames: ["gen_ai_response_model", "gen_ai_token_type"],
    registers: [this.registry],
  });
  readonly #failures = new Counter({
    name: "groundwire_node_failures_total",
    help: "Requests that failed, by error code",
    labelNames: ["error_type"],
    registers: [this.registry],
  });

  /** `queues` by model kind. */
  constructor(queues: Readonly<Record<string, AdmissionQueue>>, status: NodeStatus, connections: () => number) {
    const gauge = (name: string, help: string, label: string, read: () => [string, number][]) =>
      new Gauge({
        name,
        help,
        labelNames: [label],
        registers: [this.registry],
        collect() {
          for (const [value, count] of read()) this.set({ [label]: value }, count);
        },
      });
    const perKind = (name: string, help: string, read: (queue: AdmissionQueue) => number) =>
      gauge(name, help, "kind", () => Object.entries(queues).map(([kind, queue]) => [kind, read(queue)]));
    perKind("groundwire_node_slots", "Maximum number of running requests", ({ slots }) => slots);
    perKind("groundwire_node_running", "Running requests", ({ running }) => running);
    perKind("groundwire_node_queue_depth", "Requests waiting for a slot", ({ depth }) => depth);
    perKind("groundwire_node_queue_capacity", "Maximum number of waiting requests", ({ capacity }) => capacity);
    registerProcessMetrics(this.registry);
    gauge("groundwire_node_state", "1 for the node's current state", "state", () =>
      STATES.map((state) => [state, state === status.state() ? 1 : 0]),
    );
    new Gauge({
      name: "groundwire_node_connections",
      help: "Open HTTP/2 connections",
      registers: [this.registry],
      collect() {
        this.set(connections());
      },
    });
  }

  answered(operation: Generation["operation"], model: string, usage: EngineUsage, timings: Timings): void {
    const labels = answerLabels(operation, model);
    this.#duration.observe(labels, timings.total_ms / 1000);
    this.#firstToken.observe(labels, timings.ttft_ms / 1000);
    this.#queued.observe(labels, timings.queue_ms / 1000);
    if (usage.completionTokens > 1) {
      const seconds = (timings.total_ms - timings.ttft_ms) / 1000;
      this.#perToken.observe(labels, seconds / (usage.completionTokens - 1));
    }
    this.#tokens.inc({ gen_ai_response_model: model, gen_ai_token_type: "input" }, usage.promptTokens);
    this.#tokens.inc({ gen_ai_response_model: model, gen_ai_token_type: "cached" }, usage.cachedTokens);
    this.#tokens.inc({ gen_ai_response_model: model, gen_ai_token_type: "output" }, usage.completionTokens);
  }

  /** Counts embedded or ranked texts. `timings` is missing if the request failed; its tokens still count. */
  textsRead(
    operation: "embedding" | "rerank",
    model: string,
    tokens: number,
    timings?: EmbeddingAnswer["timings"],
  ): void {
    this.#tokens.inc({ gen_ai_response_model: model, gen_ai_token_type: "input" }, tokens);
    if (!timings) return;
    const labels = answerLabels(operation, model);
    this.#duration.observe(labels, timings.total_ms / 1000);
    this.#queued.observe(labels, timings.queue_ms / 1000);
  }

  /** Counts the tokens of an answer that did not complete. */
  brokeOff(model: string, tokens: number): void {
    this.#tokens.inc({ gen_ai_response_model: model, gen_ai_token_type: "output" }, tokens);
  }

  failed(kind: ErrorKind): void {
    this.#failures.inc({ error_type: kind });
  }

  #histogram(name: string, help: string) {
    return new Histogram({ name, help, labelNames: this.#answerLabels, buckets: SECONDS, registers: [this.registry] });
  }
}

const answerLabels = (operation: keyof typeof OPERATIONS, model: string) => ({
  gen_ai_operation_name: OPERATIONS[operation],
  gen_ai_provider_name: PROVIDER,
  gen_ai_response_model: model,
});
