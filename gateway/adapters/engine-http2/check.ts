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

/** The smallest request of the same kind, which every working node answers. */
const checkBody = (route: EngineRequest["route"], model: string): string =>
  JSON.stringify({
    model,
    ...(route === "/v1/chat/completions"
      ? { messages: [{ role: "user", content: "Hi" }], max_tokens: 1 }
      : route === "/v1/embeddings"
        ? { input: ["Hi"] }
        : { prompt: "Hi", ...(route === "/v1/completions" && { max_tokens: 1 }) }),
  });

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
    body: checkBody(route, model),
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
