import { afterAll, beforeAll, expect, test } from "bun:test";
import { ERROR_KINDS, type ErrorEnvelope } from "../../lib/errors";
import { readEvents } from "../harness";
import { until } from "../until";
import { type Stack, startStack } from "./stack";

const REQUESTS = 300;
const PARALLEL = 32;
const SEED = 20261123;

/** mulberry32: returns the same numbers from 0 to 1 in every run, so that failures are reproducible. */
const randomFrom = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

let stack: Stack;
/** Number of requests that should succeed and did. */
let answered = 0;
const unhandled: unknown[] = [];
const note = (reason: unknown) => unhandled.push(reason);

beforeAll(async () => {
  process.on("unhandledRejection", note);
  stack = await startStack({ tokens: 12, tokenMs: 2 });
});
afterAll(async () => {
  process.off("unhandledRejection", note);
  await stack.close();
});

/** Checks that an error is complete: its status matches its code, and a full node says when to retry. */
const expectEnvelope = async (response: Response): Promise<void> => {
  const { error }: ErrorEnvelope = JSON.parse(await response.text());
  expect(response.status).toBe(ERROR_KINDS[error.code].status);
  expect(response.headers.get("x-request-id")).toBe(error.request_id);
  if (response.status === 429 || response.status === 503) expect(response.headers.get("retry-after")).not.toBeNull();
};

/** Accepts an answer, or the errors of a node that is full or avoided for a moment. Returns whether it is an answer. */
const expectAnswerOrWait = async (response: Response): Promise<boolean> => {
  if (response.status === 200) {
    answered += 1;
    return true;
  }
  expect([429, 503]).toContain(response.status);
  await expectEnvelope(response);
  return false;
};

const FAULTS = ["!error overloaded", "!error 503", "!crash", "!crash after 2", "!truncate after 3"];
const PATHS = ["/v1/chat/completions", "/v1/chat"];

/** Sends a request of a random kind and waits for its end. */
const sendOne = async (random: () => number, i: number): Promise<string> => {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const path = pick(PATHS);
  // Some requests are equal, so that generations are joined and answers come from the cache.
  const text = random() < 0.3 ? `shared ${Math.floor(random() * 4)}` : `own ${i}`;
  const ask = (content: string, stream: boolean, signal?: AbortSignal) =>
    fetch(stack.url + path, {
      method: "POST",
      headers: { authorization: `Bearer ${stack.adminKey}`, "content-type": "application/json" },
      body: JSON.stringify({ messages: [{ role: "user", content }], stream, temperature: 0 }),
      signal,
    });
  const kind = pick(["whole", "stream", "stream", "leave", "leave", "fault", "wrong", "list"] as const);
  switch (kind) {
    case "whole": {
      const response = await ask(text, false);
      if (await expectAnswerOrWait(response)) expect(await response.text()).toContain('"finish_reason":"stop"');
      break;
    }
    case "stream": {
      const response = await ask(text, true);
      if (await expectAnswerOrWait(response)) expect((await readEvents(response)).at(-1)).toBe("[DONE]");
      break;
    }
    case "leave": {
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(), random() * 30);
      const left = await ask(text, random() < 0.7, abort.signal)
        .then((response) => response.text())
        .catch((error: Error) => error.name);
      clearTimeout(timer);
      expect(left).not.toBe("");
      break;
    }
    case "fault": {
      const stream = random() < 0.5;
      const response = await ask(pick(FAULTS), stream);
      if (response.status !== 200) await expectEnvelope(response);
      else {
        // Only a stream may fail after its 200, with an error as its last frame and without [DONE].
        expect(stream).toBe(true);
        const text = await response.text();
        expect(text.slice(text.lastIndexOf("data: "))).toStartWith('data: {"error":');
      }
      break;
    }
    case "wrong": {
      const response = await stack.call("POST", path, { body: pick(["{", { messages: [] }, { messages: 1 }]) });
      expect(response.status).toBe(400);
      await expectEnvelope(response);
      break;
    }
    case "list":
      expect((await stack.call("GET", pick(["/v1/models", "/v1/keys", "/v1/nodes", "/metrics"]))).status).toBe(200);
  }
  return kind;
};

test("hundreds of mixed requests, faults and disconnects all end as expected, and nothing is left behind", async () => {
  const random = randomFrom(SEED);
  const ended = new Map<string, number>();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < REQUESTS) {
      const kind = await sendOne(random, next++);
      ended.set(kind, (ended.get(kind) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  expect([...ended.values()].reduce((sum, count) => sum + count)).toBe(REQUESTS);
  expect(ended.size).toBe(6);
  expect(answered).toBeGreaterThan(REQUESTS / 10);

  const { activeRequests, engine, ledger, keys, answers } = stack.gateway.services;
  const principal = await keys.verify(`Bearer ${stack.adminKey}`);
  const running = async () =>
    (await ledger.explain(principal)).limits.find(({ limit }) => limit.name === "parallel_requests")?.reading.used;
  JSON.parse(await (await stack.call("GET", "/v1/cache")).text()).in_flight;
  await until("the key has no running request", async () => (await running()) === 0, 5000);
  await until("no active request is left", () => activeRequests.size === 0, 5000);
  await until("no flight is left", () => answers.inFlight() === 0, 5000);
  await until("the node runs nothing", () => engine.nodes().every((node) => node.outstanding === 0), 5000);
  await until(
    "the node says so itself and is ready again",
    () => engine.nodes().every(({ state, readiness }) => state === "ready" && readiness?.slots.running === 0),
    10_000,
  );
  const response = await stack.call("POST", "/v1/chat", { body: { messages: [{ role: "user", content: "After." }] } });
  expect(response.status).toBe(200);
  expect(unhandled).toEqual([]);
}, 30_000);
