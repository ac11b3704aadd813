import { serverTiming } from "../../lib/server-timing";
import { cacheHeaders } from "../cache/headers";
import type { AnswerStart } from "./answer";
import type { ChatAnswer, ChatEvent } from "./contract";

export const JSON_TYPE = "application/json; charset=utf-8";

/** The headers for the cache status, the number of retries and the fallback model. */
export const answerHeaders = (
  answer: Pick<AnswerStart, "cache" | "retries" | "fallbackFrom">,
): Record<string, string> => {
  const headers = cacheHeaders(answer.cache);
  headers["x-retries"] = String(answer.retries);
  if (answer.fallbackFrom !== null) headers["x-fallback-from"] = answer.fallbackFrom;
  return headers;
};

/** The headers of a response that contains a complete answer. */
export const answerHeadersOf = (answer: ChatAnswer): Record<string, string> => ({
  ...answerHeaders({ ...answer, fallbackFrom: answer.fallback_from }),
  "content-type": JSON_TYPE,
  "server-timing": serverTiming(answer.latency),
});

/** The headers of a stream, taken from its first event. */
export const eventHeaders = (first: ChatEvent): Record<string, string> =>
  first.type === "start" ? answerHeaders({ ...first, fallbackFrom: first.fallback_from }) : {};
