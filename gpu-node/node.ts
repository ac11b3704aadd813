import { createHash, timingSafeEqual } from "node:crypto";
import type { Config } from "../lib/config";
import { AppError, toAppError } from "../lib/errors";
import type { Log } from "../lib/log";
import { BodyMemory } from "../lib/media-body";
import { embedderOf, findContradictions, rerankerOf } from "../lib/setting-rules";
import { openTracer } from "../lib/tracing/open-tracer";
import { withTimeout } from "../lib/with-timeout";
import { type Embedder, type NodeEngine, type Reranker, shuttingDown } from "./engine/engine";
import { createLlamaHost, type LlamaHost } from "./engine/llama/host";
import { AdmissionQueue } from "./queue/queue";
import { Exchange } from "./server/exchange";
import { NodeMetrics } from "./server/metrics";
import { findRoute, nodeModels, nodeRoutes } from "./server/routes";
import { createServer } from "./server/server";
import type { NodeDeps } from "./server/slot";
import { NodeStatus } from "./server/status";
import { endRequest, traceRequest } from "./server/trace";

/** Time for the last errors of a drain to reach their clients. */
const FINAL_ERRORS_MS = 500;

/** Weights in the loading progress. The models of the embedder and the reranker are smaller. */
const WEIGHTS = { engine: 8, embedder: 2, reranker: 2 };

export interface StartNodeOptions {
  log: Log;
  /** Default: the configured engines. */
  engines?: Engines;
  /** A client that leaves its answer unread for this long is disconnected; default 30 s. */
  stallMs?: number;
  /** Interval of the pings on each connection; default 15 s. */
  pingMs?: number;
  /** Time limit for the headers of a connection's first request; default 10 s. */
  headersMs?: number;
}

export interface RunningNode {
  url: string;
  port: number;
  /** Resolves when the models are loaded; rejects with an AppError if they can't be. */
  ready: Promise<void>;
  /** Sends GOAWAY, waits up to `graceMs` for accepted requests, then fails the remaining ones. */
  close(graceMs: number): Promise<void>;
}

/**
 * Starts a GPU node. It listens immediately and loads its models in the background (`/readyz` shows the progress).
 * Throws AppError if it can't listen, or if the configuration is not safe.
 */
export const startNode = async (config: Config, options: StartNodeOptions): Promise<RunningNode> => {
  assertSafeToListen(config);
  const { log } = options;
  const engines = options.engines ?? (await createEngines(config, log));
  const { engine, embedder, reranker } = engines;
  const status = new NodeStatus(config.node.stuckMs, () => engine.failure?.());
  const queue = new AdmissionQueue(engine.slots, config.node.queue, Math.min(1, engine.slots - 1));
  const { embedderSlots, embedderQueue: waiting = embedderSlots } = config.node;
  const embedderQueue = new AdmissionQueue(embedderSlots, waiting);
  const queues = { chat: queue, ...((embedder || reranker) && { embedding: embedderQueue }) };
  const metrics = new NodeMetrics(queues, status, () => server.sessions.count);
  const bodies = new BodyMemory(config.gateway.maxMediaBodyBytes);
  const deps: NodeDeps = { config, engine, embedder, reranker, queue, embedderQueue, bodies, status, metrics };
  const routes = nodeRoutes(deps);
  const guard = createGuard(config.gateway.nodeToken);
  const open = new Set<Exchange>();
  const tracer = await openTracer("gpu-node", config, log);

  const handle = async (exchange: Exchange): Promise<void> => {
    open.add(exchange);
    try {
      const { route, id } = findRoute(routes, exchange.method, exchange.path);
      if (!route.isOpen) guard(exchange.header("authorization"));
      if (tracer && route.method === "POST") exchange.span = traceRequest(tracer, exchange);
      await route.handler(exchange, id);
    } catch (thrown) {
      exchange.fail(thrown);
    }
    report(exchange);
    if (exchange.span) endRequest(exchange.span, exchange.failure);
    await exchange.finished;
    open.delete(exchange);
  };

  const report = ({ failure, requestId, method, path }: Exchange): void => {
    if (!failure) return;
    metrics.failed(failure.kind);
    const fields = { request_id: requestId, method, path, code: failure.kind, err: failure.cause };
    if (failure.kind === "internal") log.error(fields, "request failed");
    else log.debug(fields, "request rejected");
  };

  const server = createServer(
    config,
    (request, response) => void handle(new Exchange(request, response, options.stallMs)),
    options,
  );
  const port = await server.listen(config.node.host, config.node.port);
  const host = config.node.host.includes(":") ? `[${config.node.host}]` : config.node.host;
  const url = `${config.node.tlsCert ? "https" : "http"}://${host}:${port}`;

  const load = async (): Promise<void> => {
    const parts = [
      { owner: engine, weight: WEIGHTS.engine },
      { owner: embedder, weight: WEIGHTS.embedder },
      { owner: reranker, weight: WEIGHTS.reranker },
    ].filter(({ owner }) => owner);
    const all = parts.reduce((sum, { weight }) => sum + weight, 0);
    let done = 0;
    for (const { owner, weight } of parts) {
      const before = done;
      await owner?.load((fraction) => {
        status.progress = (before + weight * fraction) / all;
      });
      done += weight;
    }
    status.isLoaded = true;
    log.info({ engine: engine.name, models: nodeModels(deps).map(({ id }) => id) }, "node is ready");
  };
  const ready = load().catch((thrown: unknown) => {
    const error = toAppError(thrown);
    // Closing a node while it loads is not an error.
    if (status.state() === "loading") log.error({ code: error.kind, err: error.cause ?? error }, error.message);
    throw error;
  });
  ready.catch(() => {});

  const close = async (graceMs: number): Promise<void> => {
    status.isDraining = true;
    server.drain();
    await allFinished(open, graceMs);
    for (const exchange of open) exchange.abort(shuttingDown());
    await allFinished(open, FINAL_ERRORS_MS);
    server.close();
    await engines.close();
    await tracer?.close();
  };

  return { url, port, ready, close };
};

/** Waits up to `limitMs` for the open exchanges to finish. */
const allFinished = (open: Iterable<Exchange>, limitMs: number): Promise<unknown> =>
  withTimeout(Promise.all([...open].map(({ finished }) => finished)), limitMs);

/** The engine, embedder and reranker of a node. */
interface Engines {
  engine: NodeEngine;
  /** Undefined if this node does not serve embeddings. */
  embedder?: Embedder;
  /** Undefined if this node does not rerank. */
  reranker?: Reranker;
  close(): Promise<void>;
}

/**
 * Creates the configured engine, embedder and reranker. Imports only what is configured, because llama loads native
 * code.
 */
const createEngines = async (config: Config, log: Log): Promise<Engines> => {
  const host = createLlamaHost(config.node, log);
  const engine = await createEngine[config.node.engine](config, host, log);
  const embedder = await createEmbedder[embedderOf(config.node)](config, host, log);
  const reranker = await createReranker[rerankerOf(config)](config, host, log);
  return {
    engine,
    embedder,
    reranker,
    close: async () => {
      await engine.close();
      await embedder?.close();
      await reranker?.close();
      await host.dispose();
    },
  };
};

type Create<T> = (config: Config, host: LlamaHost, log: Log) => Promise<T>;

const createEngine: Record<Config["node"]["engine"], Create<NodeEngine>> = {
  llama: async (config, host, log) => (await import("./engine/llama/llama")).createLlamaEngine(config, host, log),
  openai: async (config, _, log) => (await import("./engine/openai/openai")).createOpenAiEngine(config, log),
  synthetic: async (config) => (await import("./engine/synthetic")).createSyntheticEngine(config),
};

const createEmbedder: Record<ReturnType<typeof embedderOf>, Create<Embedder | undefined>> = {
  llama: async (config, host, log) => (await import("./engine/llama/embedder")).createLlamaEmbedder(config, host, log),
  openai: async (config, _, log) => (await import("./engine/openai/embedder")).createOpenAiEmbedder(config, log),
  synthetic: async (config) => (await import("./engine/synthetic")).createSyntheticEmbedder(config),
  off: async () => undefined,
};

const createReranker: Record<ReturnType<typeof rerankerOf>, Create<Reranker | undefined>> = {
  llama: async (config, host, log) => (await import("./engine/llama/reranker")).createLlamaReranker(config, host, log),
  openai: async (config, _, log) => (await import("./engine/openai/reranker")).createOpenAiReranker(config, log),
  off: async () => undefined,
};

/** Applies the checks of `loadConfig` to a node that is started programmatically. Throws invalid_request. */
const assertSafeToListen = (config: Config): void => {
  const problems = findContradictions(config);
  const [first] = problems;
  if (!first) return;
  const message = `${problems.map((problem) => `${problem.path} ${problem.message}`).join("; ")}.`;
  throw new AppError("invalid_request", message, { param: first.path, details: problems });
};

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Checks `authorization: Bearer <token>` in constant time. Without a configured token, every request passes. */
const createGuard = (token: string | undefined): ((authorization: string | undefined) => void) => {
  if (token === undefined) return () => {};
  const expected = digest(token);
  return (authorization) => {
    if (authorization === undefined) {
      throw new AppError("missing_api_key", "Send the node's token: authorization: Bearer <token>.");
    }
    const given = /^Bearer (.+)$/i.exec(authorization)?.[1] ?? "";
    if (!timingSafeEqual(digest(given), expected)) {
      throw new AppError("invalid_api_key", "Wrong node token. See GROUNDWIRE_NODE_TOKEN.");
    }
  };
};
