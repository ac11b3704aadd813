import type { NodeModel } from "../../../gpu-node/protocol";
import type { EngineRequest } from "../../ports/engine";
import type { EngineNode } from "./node";
import { requestHeaders } from "./request-headers";
import { NodeStream, type Watchdog } from "./stream";

/** Timeout of a check, and the part of it that the check may wait for a slot. */
const CHECK_MS = 15_000;
const CHECK_QUEUE_MS = 5000;

const checkRequest = (route: EngineRequest["route"], model: string) => ({
  ...{ route, model, requestId: "check", fairKey: "check" },
  priority: "interactive" as const,
});

/** The route used to check a model, by the model's kind. */
export const CHECK_ROUTES = {
  chat: "/v1/chat/completions",
  embedding: "/v1/embeddings",
  rerank: "/v1/rerank",
} as const satisfies Record<NodeModel["kind"], EngineRequest["route"]>;

/** The smallest request that every working node answers, by route. */
const BODIES: Record<EngineRequest["route"], object> = {
  "/v1/chat/completions": { messages: [{ role: "user", content: "Hi" }], max_tokens: 1 },
  "/v1/completions": { prompt: "Hi", max_tokens: 1 },
  "/v1/embeddings": { input: ["Hi"] },
  "/v1/rerank": { query: "Hi", documents: ["Hi"] },
  "/tokenize": { prompt: "Hi" },
};

/** Sends the node the smallest request for this model. Throws the node's error, or deadline_exceeded after 15 s. */
export const checkModel = async (
  node: EngineNode,
  watchdog: Watchdog,
  route: EngineRequest["route"],
  model: string,
): Promise<void> => {
  const stream = new NodeStream({
    connection: await node.connection(),
    headers: requestHeaders(node, checkRequest(route, model), { deadlineMs: CHECK_MS, queueMs: CHECK_QUEUE_MS }),
    body: JSON.stringify({ model, ...BODIES[route] }),
    isEvents: false,
    signal: new AbortController().signal,
    timeouts: { firstTokenMs: CHECK_MS, nextTokenMs: CHECK_MS, totalMs: CHECK_MS },
    watchdog,
    flow: node.flow,
    onEnd() {},
  });
  await stream.response();
  await Array.fromAsync(stream);
};
