import type { Config } from "../lib/config";
import { toAppError } from "../lib/errors";
import type { Log } from "../lib/log";
import { withTimeout } from "../lib/with-timeout";
import { createEngines, type Engines } from "./engine/create";
import { shuttingDown } from "./engine/engine";
import { AdmissionQueue } from "./queue/queue";
import { assertSafeToListen, createGuard } from "./server/auth";
import { Exchange } from "./server/exchange";
import { NodeMetrics } from "./server/metrics";
import { findRoute, nodeModels, nodeRoutes } from "./server/routes";
import { createServer } from "./server/server";
import type { NodeDeps } from "./server/slot";
import { NodeStatus } from "./server/status";

/** Time for the last errors of a drain to reach their clients. */
const FINAL_ERRORS_MS = 500;

/** Fraction of the loading progress that the engine takes if the node also has an embedder, whose model is smaller. */
const ENGINE_FRACTION = 0.8;

export interface StartNodeOptions {
  log: Log;
  /** Default: the configured engines. */
  engines?: Engines;
  /** A client that leaves its answer unread for this long is disconnected; default 30 s. */
  stallMs?: number;
  /** Interval of the pings on each connection; default 15 s. */
  pingMs?: number;
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
  const { engine, embedder } = engines;
  const status = new NodeStatus(config.node.stuckMs, () => engine.failure?.());
  const queue = new AdmissionQueue(engine.slots, config.node.queue);
  const { embedderSlots, embedderQueue: waiting = embedderSlots } = config.node;
  const embedderQueue = new AdmissionQueue(embedderSlots, waiting);
  const queues = { chat: queue, ...(embedder && { embedding: embedderQueue }) };
  const metrics = new NodeMetrics(queues, status, () => server.sessions.count);
  const deps: NodeDeps = { config, engine, embedder, queue, embedderQueue, status, metrics };
  const routes = nodeRoutes(deps);
  const guard = createGuard(config.gateway.nodeToken);
  const open = new Set<Exchange>();

  const handle = async (exchange: Exchange): Promise<void> => {
    open.add(exchange);
    try {
      const { route, id } = findRoute(routes, exchange.method, exchange.path);
      if (!route.isOpen) guard(exchange.header("authorization"));
      await route.handler(exchange, id);
    } catch (thrown) {
      exchange.fail(thrown);
    }
    report(exchange);
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
    options.pingMs,
  );
  const port = await server.listen(config.node.host, config.node.port);
  const host = config.node.host.includes(":") ? `[${config.node.host}]` : config.node.host;
  const url = `${config.node.tlsCert ? "https" : "http"}://${host}:${port}`;

  const load = async (): Promise<void> => {
    const engineShare = embedder ? ENGINE_FRACTION : 1;
    await engine.load((fraction) => {
      status.progress = engineShare * fraction;
    });
    await embedder?.load((fraction) => {
      status.progress = engineShare + (1 - engineShare) * fraction;
    });
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
  };

  return { url, port, ready, close };
};

/** Waits up to `limitMs` for the open exchanges to finish. */
const allFinished = (open: Iterable<Exchange>, limitMs: number): Promise<unknown> =>
  withTimeout(Promise.all([...open].map(({ finished }) => finished)), limitMs);
