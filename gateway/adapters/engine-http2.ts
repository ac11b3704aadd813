import { RESPONSE_HEADERS } from "../../gpu-node/protocol";
import { AppError, toAppError } from "../../lib/errors";
import type { Engine, EngineReply, EngineRequest, ModelCheck } from "../ports/engine";
import { CHECK_ROUTES, checkModel } from "./engine-http2/check";
import type { Connection } from "./engine-http2/connection";
import { EngineNode } from "./engine-http2/node";
import { noNodeFor } from "./engine-http2/refusal";
import { requestHeaders } from "./engine-http2/request-headers";
import { RetryBudget } from "./engine-http2/retry-budget";
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
  const retries = new RetryBudget();
  const active = (): number => nodes.reduce((sum, { outstanding }) => sum + outstanding, 0);

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
  /**
   * A stuck node is the last resort, because it may have recovered since its last probe. So is a node that is being
   * checked, and one whose `retry-after` has not passed.
   */
  const rank = (node: EngineNode): number =>
    node.state === "stuck" || node.breaker.isSuspect || node.isResting() ? 1 : 0;

  const attempt = async (tried: Attempt, request: EngineRequest, work: Work): Promise<EngineReply> => {
    const { node } = tried;
    const deadlineMs = Math.max(1, request.deadlineMs - (performance.now() - work.startedAt));
    work.attempts++;
    node.outstanding++;
    node.breaker.started();
    let stream: NodeStream | undefined;
    try {
      const open = node.connection();
      tried.connection = open instanceof Promise ? await open : open;
      stream = new NodeStream({
        connection: tried.connection,
        headers: requestHeaders(node, request, { deadlineMs, queueMs: timeouts.queueMs }),
        body: request.body,
        isEvents: request.stream,
        signal: request.signal,
        timeouts: {
          firstTokenMs: timeouts.queueMs + timeouts.firstTokenMs,
          nextTokenMs: timeouts.nextTokenMs,
          totalMs: deadlineMs,
        },
        watchdog,
        flow: node.flow,
        onEnd(error) {
          node.outstanding--;
          report(node, request, error);
        },
      });
      const headers = await stream.response();
      return {
        node: node.id,
        modelRevision: String(headers[RESPONSE_HEADERS.modelRevision] ?? "unknown"),
        engine: String(headers[RESPONSE_HEADERS.engine] ?? "unknown"),
        queueMs: Math.max(0, Number(headers[RESPONSE_HEADERS.queueMs]) || 0),
        retries: work.attempts - 1,
        body: stream,
      };
    } catch (thrown) {
      if (!stream) {
        node.outstanding--;
        if (node.breaker.failed()) node.breaker.checked(false);
      }
      throw thrown;
    }
  };

  /**
   * Only failures of the node count against it. Rejected requests, callers that disconnect, and deadlines that callers
   * set don't.
   */
  const report = (node: EngineNode, request: EngineRequest, error: AppError | undefined): void => {
    if (!error) {
      node.breaker.succeeded();
      return;
    }
    if (error.detail.source === "node") node.rest(error.detail.retryAfterMs);
    const isCallersDeadline = error.kind === "deadline_exceeded" && request.hasOwnDeadline === true;
    if (error.status < 500 || error.kind === "model_loading" || isCallersDeadline) {
      node.breaker.ended();
      return;
    }
    // The node may be shutting down, or its engine may have failed permanently. Its readiness says so.
    if (error.kind === "unavailable") node.recheck();
    node.lastError = error.message;
    if (node.breaker.failed(request.body)) void check(node, request);
  };

  /** Decides whether the node is broken or the last requests were at fault, with a request of our own. */
  const check = (node: EngineNode, { route, model }: EngineRequest): Promise<void> =>
    checkModel(node, watchdog, route, model).then(
      () => node.breaker.checked(true),
      // A full queue or an unknown parameter shows that the node works.
      (thrown) => node.breaker.checked(toAppError(thrown).status < 500),
    );

  /** Sends the request to a node with its model, and once more if that fails before the first byte. */
  const requestModel = async (request: EngineRequest, work: Work): Promise<EngineReply> => {
    let node = pick(request.model);
    if (!node) {
      await Promise.all(nodes.map((each) => each.probed()));
      node = pick(request.model);
      if (!node) throw noNodeFor(nodes, request.model);
    }
    if (work.attempts === 0) retries.requested();
    const first: Attempt = { node };
    try {
      return await attempt(first, request, work);
    } catch (thrown) {
      const error = toAppError(thrown);
      if (request.signal.aborted || !mayMoveOn(error)) throw error;
      const isLost = error.kind === "upstream_error";
      const next = pick(request.model, node) ?? (isLost && node.pool.available() ? node : undefined);
      if (!next) throw isLost && node.state === "down" ? noNodeFor(nodes, request.model) : error;
      if (!isFree(first, error) && !retries.take(active())) throw error;
      try {
        return await attempt({ node: next }, request, work);
      } catch (again) {
        throw afterRetries(toAppError(again), work.attempts - 1);
      }
    }
  };

  /**
   * If all models fail, throws the error of the requested one. Fallbacks don't use the retry budget: the failing nodes get
   * no further request, and the breakers soon make the first attempt unnecessary.
   */
  const withFallbacks = async (
    request: EngineRequest,
    { models, bodyFor }: NonNullable<EngineRequest["fallbacks"]>,
    work: Work,
  ): Promise<EngineReply> => {
    try {
      // Another model answers sooner than a stuck node.
      if (pick(request.model)?.state === "stuck") throw noNodeFor(nodes, request.model);
      return await requestModel(request, work);
    } catch (thrown) {
      const error = toAppError(thrown);
      for (const model of models) {
        const isRefused = mayMoveOn(error) || error.kind === "model_not_found";
        if (request.signal.aborted || !isRefused || !pick(model)) continue;
        const reply = await requestModel({ ...request, model, body: bodyFor(model) }, work).catch(() => undefined);
        if (reply) return { ...reply, fallbackModel: model };
      }
      throw afterRetries(error, work.attempts - 1);
    }
  };

  return {
    async open() {
      for (const node of nodes) node.open();
    },

    request(request) {
      const work = { attempts: 0, startedAt: performance.now() };
      return request.fallbacks ? withFallbacks(request, request.fallbacks, work) : requestModel(request, work);
    },

    nodes: () => nodes.map((node) => node.view()),

    check: async (id) => {
      const node = nodes.find((each) => each.id === id);
      if (!node) return [];
      return Promise.all(
        (node.readiness?.models ?? []).map(async ({ id: model, kind }): Promise<ModelCheck> => {
          const startedAt = performance.now();
          const error = await checkModel(node, watchdog, CHECK_ROUTES[kind], model).then(() => undefined, toAppError);
          return { model, latencyMs: performance.now() - startedAt, error };
        }),
      );
    },

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

/** The attempts for one request, and when the first one began, as a `performance.now()` value. */
interface Work {
  attempts: number;
  readonly startedAt: number;
}

/** One try on one node. `connection` is undefined until it is open. */
interface Attempt {
  node: EngineNode;
  connection?: Connection;
}

/** Adds the number of retries to the error of the last attempt. */
const afterRetries = (error: AppError, retries: number): AppError => {
  if (retries <= 0) return error;
  const { kind, message, detail } = error;
  return new AppError(kind, message, { ...detail, headers: { ...detail.headers, "x-retries": String(retries) } });
};

/** Whether another node may succeed after an error, if nothing has been sent to the caller. */
const mayMoveOn = (error: AppError): boolean =>
  error.kind === "upstream_error" ||
  error.kind === "unavailable" ||
  error.kind === "overloaded" ||
  error.kind === "model_loading";

/**
 * Whether a node that is shutting down rejected the request immediately: it has sent GOAWAY on its connection. Retrying
 * then adds no load, so it doesn't use the retry budget.
 */
const isFree = ({ connection }: Attempt, { kind, detail }: AppError): boolean =>
  kind === "unavailable" && detail.source === "node" && connection?.isUsable === false;
