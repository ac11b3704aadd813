import { setImmediate as nextTurn } from "node:timers/promises";
import { AppError } from "../../lib/errors";
import { inOrder } from "../../lib/in-order";
import packageJson from "../../package.json" with { type: "json" };
import { readModel, readText, readTexts } from "../engine/parameters";
import { machineOf } from "../machine";
import type { NodeModel, NodeReadiness } from "../protocol";
import type { AdmissionQueue } from "../queue/queue";
import { embed } from "./embed";
import type { Exchange } from "./exchange";
import { generate } from "./generate";
import { rerank } from "./rerank";
import type { NodeDeps } from "./slot";

/** Texts whose tokens an engine counts at the same time. */
const TEXTS_AT_ONCE = 8;

type Handler = (exchange: Exchange, id: string) => Promise<void> | void;

interface Route {
  method: "GET" | "POST";
  /** Requires no token, because probes don't send one. */
  isOpen?: boolean;
  handler: Handler;
}

/** Every route by path, each with one method. A path that ends in `/` is followed by one more segment, the id. */
type Routes = ReadonlyMap<string, Route>;

const startedAt = Math.floor(Date.now() / 1000);

const wireModel = ({ sampling: _, ...model }: NodeModel) => ({
  ...model,
  object: "model",
  created: startedAt,
  owned_by: "groundwire",
});

/** Chat models first, because a request without a model gets the first one. */
export const nodeModels = ({ engine, embedder, reranker, status }: NodeDeps): NodeModel[] => {
  if (!status.isLoaded) return [];
  const others = [...engine.models(), ...(embedder?.models() ?? [])];
  // vLLM can also rerank with its embedding models. They stay embedding models.
  const rankers = (reranker?.models() ?? []).filter(({ id }) => !others.some((other) => other.id === id));
  return [...others, ...rankers];
};

const occupancy = (queue: AdmissionQueue) => ({
  slots: { total: queue.slots, running: queue.running },
  queue: { depth: queue.depth, capacity: queue.capacity },
});

/** The body of `GET /readyz`. */
const readiness = (deps: NodeDeps): NodeReadiness => {
  const { config, engine, embedder, reranker, embedderQueue, status, queue } = deps;
  const state = status.state();
  const silentMs = status.answers.silentMs();
  return {
    state,
    ...(state === "failed" && { reason: status.failure?.message }),
    engine: engine.name,
    synthetic: engine.synthetic,
    version: packageJson.version,
    ...(state === "loading" && { progress: status.progress }),
    models: nodeModels(deps),
    ...occupancy(queue),
    ...((embedder || reranker) && { embeddings: occupancy(embedderQueue) }),
    ...(silentMs !== undefined && { last_token_ms: Math.round(silentMs) }),
    timeouts: { total_ms: config.timeouts.totalMs, queue_ms: config.timeouts.queueMs },
    machine: machineOf(engine),
  };
};

export const nodeRoutes = (deps: NodeDeps): Routes => {
  const { config, engine, embedder, reranker, metrics, status } = deps;

  const tokenize: Handler = async (exchange) => {
    status.assertOpen();
    const body = await exchange.readJson(config.gateway.maxBodyBytes);
    const model = readModel(body);
    const messages = Array.isArray(body.messages) ? body.messages : undefined;
    const reader = [embedder, reranker].find((owner) => owner?.models().some(({ id }) => id === model));
    const tokensOf = (text: string) => (reader ? reader.tokenize(model, text) : engine.tokenize(model, { text }));
    if (Array.isArray(body.prompt)) {
      const counts = await inOrder(readTexts(body.prompt), TEXTS_AT_ONCE, async (text) => {
        await nextTurn();
        return (await tokensOf(text)).length;
      });
      return exchange.json(200, { counts });
    }
    const tokens = await (messages && !reader
      ? engine.tokenize(model, { messages, tools: body.tools })
      : tokensOf(readText(body.prompt)));
    exchange.json(200, { tokens, count: tokens.length });
  };

  const model: Handler = (exchange, id) => {
    const found = nodeModels(deps).find((candidate) => candidate.id === id);
    if (found) return exchange.json(200, wireModel(found));
    const message = `This node has no model "${id}". GET /v1/models lists its models.`;
    throw new AppError("model_not_found", message, { param: "model" });
  };

  const ready: Handler = (exchange) => {
    const body = readiness(deps);
    exchange.json(body.state === "ready" ? 200 : 503, body);
  };
  const prometheus: Handler = async (exchange) =>
    exchange.send(200, metrics.registry.contentType, await metrics.registry.metrics());

  return new Map<string, Route>([
    ["/healthz", { method: "GET", isOpen: true, handler: (exchange) => exchange.json(200, { status: "ok" }) }],
    ["/readyz", { method: "GET", isOpen: true, handler: ready }],
    ["/metrics", { method: "GET", handler: prometheus }],
    ["/v1/models", { method: "GET", handler: (exchange) => exchange.json(200, modelList(deps)) }],
    ["/v1/models/", { method: "GET", handler: model }],
    ["/v1/chat/completions", { method: "POST", handler: (exchange) => generate(deps, exchange, "chat") }],
    ["/v1/completions", { method: "POST", handler: (exchange) => generate(deps, exchange, "completion") }],
    ["/v1/embeddings", { method: "POST", handler: (exchange) => embed(deps, exchange) }],
    ["/v1/rerank", { method: "POST", handler: (exchange) => rerank(deps, exchange) }],
    ["/tokenize", { method: "POST", handler: tokenize }],
  ]);
};

const modelList = (deps: NodeDeps) => ({ object: "list", data: nodeModels(deps).map(wireModel) });

/** The route of a path and the id in it. Throws not_found, method_not_allowed. */
export const findRoute = (routes: Routes, method: string, path: string): { route: Route; id: string } => {
  const slash = path.lastIndexOf("/") + 1;
  const exact = routes.get(path);
  const route = exact ?? (slash < path.length ? routes.get(path.slice(0, slash)) : undefined);
  if (!route) throw new AppError("not_found", `This node has no route ${path}.`);
  if (route.method !== method) {
    throw new AppError("method_not_allowed", `${path} accepts ${route.method}, not ${method}.`);
  }
  return { route, id: exact ? "" : decodeSegment(path.slice(slash)) };
};

const decodeSegment = (segment: string): string => {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
};
