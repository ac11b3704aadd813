import type { Stack } from "../harness";

/** How a client's chat request ended. */
export interface Ending {
  /** 0: no response. */
  status: number;
  text: string;
  headers: Headers;
  ms: number;
}

interface ChatOptions {
  content?: string;
  stream?: boolean;
  maxTokens?: number;
  timeoutMs?: number;
}

/** Sends a chat request, by default with a unique text, and reads the whole answer. */
export const chat = async (
  client: Pick<Stack, "fetch">,
  { content = crypto.randomUUID(), stream = false, maxTokens, timeoutMs = 70_000 }: ChatOptions = {},
): Promise<Ending> => {
  const startedAt = performance.now();
  const body = { messages: [{ role: "user", content }], stream, max_tokens: maxTokens };
  try {
    // A request on a reused connection could arrive just as the gateway closes it as idle.
    const init = { body, signal: AbortSignal.timeout(timeoutMs), keepalive: false };
    const response = await client.fetch("/v1/chat/completions", init);
    const { status, headers } = response;
    return { status, headers, text: await response.text(), ms: performance.now() - startedAt };
  } catch (error) {
    return { status: 0, headers: new Headers(), text: String(error), ms: performance.now() - startedAt };
  }
};

const isStream = ({ headers }: Ending): boolean => (headers.get("content-type") ?? "").startsWith("text/event-stream");

export const isComplete = (ending: Ending): boolean => {
  if (ending.status !== 200) return false;
  if (isStream(ending)) return ending.text.endsWith("data: [DONE]\n\n") && !ending.text.includes('"error"');
  try {
    return JSON.parse(ending.text).choices?.length === 1;
  } catch {
    return false;
  }
};

/** "complete", "event CODE" for a stream that ended with an error, or "STATUS CODE". */
export const outcomeOf = (ending: Ending): string => {
  if (isComplete(ending)) return "complete";
  const [, code = "without an error"] = /"code":"(\w+)"/.exec(ending.text) ?? [];
  return `${ending.status === 200 ? "event" : ending.status} ${code}`;
};

/**
 * Whether the client knows what to do next: the answer is complete; or a stream ends with an error and without [DONE];
 * or the status is 502, 503 or 504, with an error that says that the request may be sent again. A 503 must also say
 * when, in `retry-after`. The scripts don't exceed any limits, so a 429 is not expected.
 */
export const isHonest = (ending: Ending): boolean => {
  if (isComplete(ending)) return true;
  const { status, text, headers } = ending;
  if (status === 200) return isStream(ending) && /"code":"\w+"/.test(text) && !text.includes("data: [DONE]");
  if (![502, 503, 504].includes(status)) return false;
  const mayRetry = text.includes('"retryable":true') && headers.get("x-should-retry") === "true";
  return mayRetry && (status !== 503 || headers.has("retry-after"));
};

/** How often each outcome occurred. */
export const countOutcomes = (endings: readonly Ending[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const ending of endings) counts[outcomeOf(ending)] = (counts[outcomeOf(ending)] ?? 0) + 1;
  return counts;
};
