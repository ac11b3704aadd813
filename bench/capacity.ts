import type { Stack } from "../tests/harness";

/** A node of known capacity: its synthetic engine generates a token every 50 ms in each slot. */
export const SLOTS = 8;
export const TOKENS = 8;
export const TOKEN_MS = 50;

/** Settings that make the node the only limit. `BUN_OPTIONS` is passed on: it can preload a debugging script. */
export const CAPACITY_SETTINGS = {
  GROUNDWIRE_NODE_SLOTS: String(SLOTS),
  GROUNDWIRE_SYNTHETIC_TOKENS: String(TOKENS),
  GROUNDWIRE_SYNTHETIC_FIRST_TOKEN_MS: String(TOKEN_MS),
  GROUNDWIRE_SYNTHETIC_TOKEN_MS: String(TOKEN_MS),
  GROUNDWIRE_REQUESTS_PER_MINUTE: "10000000",
  GROUNDWIRE_PARALLEL_REQUESTS: "100000",
  ...(process.env.BUN_OPTIONS && { BUN_OPTIONS: process.env.BUN_OPTIONS }),
};

/** A response as its client sees it. Times are those of `performance.now()`. */
export interface Answer {
  /** 0: the connection was lost. */
  status: number;
  startedAt: number;
  /** When the first token arrived; undefined if none did, or if the answer was not streamed. */
  firstTokenAt: number | undefined;
  endedAt: number;
  /** Status 200, and not cut off. */
  isComplete: boolean;
  headers: Headers;
  text: string;
}

const TOKEN = /"content":"[^"]/;

/** Sends one chat and reads its answer. `body`: its fields other than the messages. */
export const chat = async (stack: Stack, body: object, content: string = crypto.randomUUID()): Promise<Answer> =>
  send(stack, "/v1/chat/completions", { messages: [{ role: "user", content }], ...body });

export const send = async (stack: Stack, path: string, body: object): Promise<Answer> => {
  const startedAt = performance.now();
  const isStream = "stream" in body;
  let firstTokenAt: number | undefined;
  let text = "";
  try {
    const response = await stack.fetch(path, { body });
    const decoder = new TextDecoder();
    for await (const piece of response.body ?? []) {
      text += decoder.decode(piece, { stream: true });
      if (isStream && firstTokenAt === undefined && TOKEN.test(text)) firstTokenAt = performance.now();
    }
    const isComplete = response.status === 200 && (!isStream || text.endsWith("data: [DONE]\n\n"));
    const { status, headers } = response;
    return { status, startedAt, firstTokenAt, endedAt: performance.now(), isComplete, headers, text };
  } catch (error) {
    const endedAt = performance.now();
    return { status: 0, startedAt, firstTokenAt, endedAt, isComplete: false, headers: new Headers(), text: `${error}` };
  }
};

/** Complete answers per second between two times. */
export const goodput = (answers: readonly Answer[], fromMs: number, toMs: number): number =>
  (answers.filter(({ isComplete, endedAt }) => isComplete && endedAt > fromMs && endedAt <= toMs).length * 1000) /
  (toMs - fromMs);

/** The node's maximum answers per second, measured with one request running and one waiting per slot. */
export const measureCapacity = async (stack: Stack, seconds: number): Promise<number> => {
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  const answers: Answer[] = [];
  const caller = async () => {
    while (performance.now() < endsAt) answers.push(await chat(stack, { stream: true }));
  };
  await Promise.all(Array.from({ length: 2 * SLOTS }, caller));
  return goodput(answers, startedAt + 1000, endsAt);
};
