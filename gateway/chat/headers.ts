import { cacheHeaders } from "../cache/headers";
import type { AnswerStart } from "./answer";
import type { ChatEvent } from "./contract";

/** Headers with the cache status and the number of retries. */
export const answerHeaders = (
  answer: Pick<AnswerStart, "cache" | "retries" | "fallbackFrom">,
): Record<string, string> => {
  const headers = cacheHeaders(answer.cache);
  headers["x-retries"] = String(answer.retries);
  if (answer.fallbackFrom !== null) headers["x-fallback-from"] = answer.fallbackFrom;
  return headers;
};

/** The headers of a stream, from its first event. */
export const eventHeaders = (first: ChatEvent): Record<string, string> =>
  first.type === "start" ? cacheHeaders(first.cache) : {};
