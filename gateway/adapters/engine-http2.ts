import { REQUEST_HEADERS, RESPONSE_HEADERS } from "../../gpu-node/protocol";
import { AppError, toAppError } from "../../lib/errors";
import type { Engine, EngineReply, EngineRequest } from "../ports/engine";
import { EngineNode } from "./engine-http2/node";
import { NodeStream, Watchdog } from "./engine-http2/stream";

export interface Http2EngineOptions {
  /** Addresses of the nodes: `http://` means h2c, `https://` means TLS. */
  urls: string[];
  token?: string;
  connectionsPerNode: number;
  /** `stuckMs`: a node that sends no token on any stream for this long is avoided. */
  timeouts: { queueMs: number; firstTokenMs: number; nextTokenMs: number; stuckMs: number };
  connectMs?: number;
  /** How often a node is pinged. If it doesn't answer within the same time, the connection is closed. */
  pingMs?: number;
}

/**
 * GPU nodes over HTTP/2: the node with the fewest active requests comes first, at most one retry, one circuit breaker
 * per node.
 */
export const http2Engine = (options: Http2EngineOptions): Engine => {
  const { timeouts, token, connectionsPerNode: connections, connectMs = 2000, pingMs = 5000 } = options;
  const { stuckMs } = timeouts;
  const nodes = options.urls.map((url) => new EngineNode({ url, token, connections, connectMs, pingMs, stuckMs }));
  const watchdog = new Watchdog();
  let running = 0;
  let retrying = 0;
  /** Envoy's retry budget: at most 20 % of the active requests may be retries, but 3 are always allowed. */
  const mayRetry = (): boolean => retrying < Math.max(3, running * 0.2);

  /** Picks the node with the fewest active requests among those that accept requests, are ready and serve the model. */
  const pick = (model: string, except?: EngineNode): EngineNode | undefined => {
    let best: EngineNode | undefined;
    for (const node of nodes) {
      const canTake =
        node !== except && !node.isDrained && node.state !== "down" && node.breaker.allows() && node.serves(model);
      if (!canTake || (node.readiness?.state !== "ready" && node.readiness?.state !== "stuck")) continue;
      const isBetter =
        !best || rank(node) < rank(best) || (rank(node) === rank(best) && node.outstanding < best.outstanding);
      if (isBetter) best = node;
    }
    return best;
  };
  /** A stuck node is the last resort: it may have recovered since its last probe. */
  const rank = (node: EngineNode): number => (node.state === "stuck" ? 1 : 0);

  const attempt = async (node: EngineNode, request: EngineRequest): Promise<EngineReply> => {
    node.outstanding++;
    node.breaker.started();
    let stream: NodeStream | undefined;
    try {
      const open = node.connection();
      const connection = open instanceof Promise ? await open : open;
      stream = new NodeStream({
        connection,
        headers: requestHeaders(node, request, timeouts.queueMs),
        body: request.body,
        isEvents: request.stream,
        signal: request.signal,
        timeouts: {
          firstTokenMs: timeouts.queueMs + timeouts.firstTokenMs,
          nextTokenMs: timeouts.nextTokenMs,
          totalMs: request.deadlineMs,
        },
        watchdog,
        flow: node.flow,
        onEnd(error) {
          node.outstanding--;
          report(node, request.body, error);
        },
      });
      const headers = await stream.response();
      return {
        node: node.id,
        modelRevision: String(headers[RESPONSE_HEADERS.modelRevision] ?? "unknown"),
        engine: String(headers[RESPONSE_HEADERS.engine] ?? "unknown"),
        queueMs: Math.max(0, Number(headers[RESPONSE_HEADERS.queueMs]) || 0),
        retries: 0,
        body: stream,
      };
    } catch (thrown) {
      if (!stream) {
        node.outstanding--;
        node.breaker.failed();
      }
      throw thrown;
    }
  };

  return {
    async open() {
      for (const node of nodes) node.open();
    },

    async request(request) {
      let node = pick(request.model);
      if (!node) {
        await Promise.all(nodes.map((each) => each.probed()));
        node = pick(request.model);
        if (!node) throw noNodeFor(nodes, request.model);
      }
      running++;
      try {
        return await attempt(node, request);
      } catch (thrown) {
        const error = toAppError(thrown);
        if (request.signal.aborted || !mayMoveOn(error)) throw error;
        const isLost = error.kind === "upstream_error";
        const next = pick(request.model, node) ?? (isLost && node.pool.available() ? node : undefined);
        const isFree = hasDoneNothing(error);
        if (!next || !(isFree || mayRetry()))
          throw isLost && node.state === "down" ? noNodeFor(nodes, request.model) : error;
        if (!isFree) retrying++;
        try {
          return { ...(await attempt(next, request)), retries: 1 };
        } catch (again) {
          throw afterRetry(toAppError(again));
        } finally {
          if (!isFree) retrying--;
        }
      } finally {
        running--;
      }
    },

    nodes: () => nodes.map((node) => node.view()),

    drain(id, isDrained) {
      for (const node of nodes) if (node.id === id) node.isDrained = isDrained;
    },

    async close(graceMs) {
      const until = performance.now() + graceMs;
      for (const node of nodes) node.close();
      while (performance.now() < until && nodes.some((node) => node.outstanding > 0)) await Bun.sleep(20);
      for (const node of nodes) node.pool.destroy();
      watchdog.close();
    },
  };
};

const requestHeaders = (node: EngineNode, request: EngineRequest, queueMs: number): Record<string, string> => {
  const headers = node.headers(request.route, "POST");
  headers["content-type"] = "application/json";
  headers[REQUEST_HEADERS.requestId] = request.requestId;
  // The node's default values are not sent, because every header costs time on both sides.
  if (request.priority === "batch") headers[REQUEST_HEADERS.priority] = request.priority;
  headers[REQUEST_HEADERS.deadlineMs] = String(Math.round(request.deadlineMs));
  headers[REQUEST_HEADERS.queueTimeoutMs] = String(queueMs);
  headers[REQUEST_HEADERS.fairKey] = request.fairKey;
  if (request.traceparent) headers[REQUEST_HEADERS.traceparent] = request.traceparent;
  return headers;
};

/** Adds the number of retries to the error of the second attempt. */
const afterRetry = ({ kind, message, detail }: AppError): AppError =>
  new AppError(kind, message, { ...detail, headers: { ...detail.headers, "x-retries": "1" } });

/** Only failures of the node count against it. Rejected requests and callers that disconnect don't. */
const report = (node: EngineNode, body: string, error: AppError | undefined): void => {
  if (!error) node.breaker.succeeded();
  else if (error.status >= 500 && error.kind !== "model_loading" && error.kind !== "unavailable") {
    node.lastError = error.message;
    node.breaker.failed(body);
  } else node.breaker.ended();
};

/** Whether another node may succeed after an error, if nothing has been sent to the caller. */
const mayMoveOn = (error: AppError): boolean =>
  error.kind === "upstream_error" ||
  error.kind === "unavailable" ||
  error.kind === "overloaded" ||
  error.kind === "model_loading";

/**
 * Whether a node that is shutting down rejected the request immediately. Retrying then adds no load, so it doesn't use
 * the retry budget.
 */
const hasDoneNothing = ({ kind, detail }: AppError): boolean => kind === "unavailable" && detail.source === "node";

/** The error if no node accepts a request for `model`, with the retry time. */
const noNodeFor = (nodes: EngineNode[], model: string): AppError => {
  const answering = nodes.filter((node) => node.state !== "down");
  const loading = answering.find((node) => node.readiness?.state === "loading");
  if (loading) {
    const percent = Math.round((loading.readiness?.progress ?? 0) * 100);
    return new AppError("model_loading", `The model is still being loaded (${percent}%). Try again in a moment.`, {
      source: "node",
      retryAfterMs: 2000,
    });
  }
  const serving = answering.filter((node) => node.serves(model));
  if (answering.length > 0 && serving.length === 0) {
    return new AppError("model_not_found", `Model "${model}" not found. GET /v1/models lists the models.`, {
      param: "model",
    });
  }
  const ejectedMs = Math.max(0, ...serving.map((node) => node.breaker.openForMs));
  return new AppError("unavailable", "No GPU node is available. Try again in a few seconds.", {
    retryAfterMs: ejectedMs || 1000,
  });
};
