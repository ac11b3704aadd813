import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Db } from "../../db/client";
import { AppError } from "../../lib/errors";
import { defaultConfig } from "../../lib/settings";
import { problemOf, temporaryDb } from "../../tests/db/temporary";
import { callOf } from "../../tests/principal";
import type { Call } from "../call";
import type { ChatEvent } from "../chat/contract";
import { createKeys, LOCAL_ACTOR } from "../keys/service";
import type { CreateResponse, ResponseEvent, ResponseObject } from "./contract";
import { createResponses } from "./service";
import { createResponseStore } from "./store";

const DAY_MS = 86_400_000;

let db: Db;
let call: Call;
let other: Call;
let timeMs: number;
const now = () => new Date(timeMs);
const close: (() => unknown)[] = [];

beforeEach(async () => {
  timeMs = Date.UTC(2026, 11, 1);
  db = await temporaryDb();
  const keys = createKeys({ db, config: defaultConfig() });
  const callBy = async (name: string) => {
    const { id } = await keys.create(LOCAL_ACTOR, { name, role: "member" });
    return callOf({ principal: { ...callOf().principal, keyId: id, role: "member" } });
  };
  [call, other] = [await callBy("ada"), await callBy("bob")];
  close.push(() => keys.close());
});
afterEach(async () => {
  for (const each of close.splice(0)) await each();
  await db.close();
});

const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
const facts = { finish_reason: "stop" as const, usage, model: "small" };
const start = {
  type: "start",
  model: "small",
  model_revision: "1",
  cache: { status: "miss" },
  retries: 0,
  fallback_from: null,
  request_id: "r",
} as const;
const text = (piece: string) => ({ type: "delta" as const, text: piece, tokens: 1 });
const done = { type: "done", answer: facts } as unknown as ChatEvent;

type Events = (signal: AbortSignal) => AsyncGenerator<ChatEvent, void, undefined>;
const plain: Events = async function* () {
  yield start;
  yield text("Hello");
  yield done;
};

const setUp = (events: Events = plain, { days = 30, maxBytes = 100_000, content = "Hello" } = {}) => {
  const store = createResponseStore({ db, days, maxBytes, now });
  const warnings: unknown[] = [];
  const calls: Call[] = [];
  const chat = {
    answer: async (by: Call) => {
      calls.push(by);
      return { ...facts, message: { role: "assistant" as const, content } } as never;
    },
    events: ({ signal }: Call) => events(signal),
  };
  const log = { warn: (...entry: unknown[]) => void warnings.push(entry) };
  const models = { find: () => undefined };
  return { store, warnings, calls, responses: createResponses({ chat, models, store, log, now }) };
};
type Responses = ReturnType<typeof setUp>["responses"];

const request = (more: Partial<CreateResponse> = {}): CreateResponse => ({ input: "Hi", ...more });
const create = async (responses: Responses, more?: Partial<CreateResponse>, by = call) =>
  (await responses.create(by, request(more))).response;

const typesOf = (events: readonly ResponseEvent[]) => events.map(({ type }) => type);
const responseIn = (event: ResponseEvent | undefined): ResponseObject => {
  if (!event || !("response" in event)) throw new Error("The event has no response.");
  return event.response;
};

test("a stream that breaks off ends with an error event, then response.failed with the text so far", async () => {
  const { responses } = setUp(async function* () {
    yield start;
    yield text("Hel");
    throw new AppError("upstream_error", "messages.0 failed.", { param: "messages.0" });
  });
  const stream = responses.stream(call, request());
  const events: ResponseEvent[] = [];
  const problem = await problemOf(
    (async () => {
      for await (const event of stream.events) events.push(event);
    })(),
  );
  expect([problem.detail.param, problem.message]).toEqual(["input", "input failed."]);
  events.push(...stream.fail(problem));
  expect(typesOf(events).slice(-3)).toEqual(["response.output_text.delta", "error", "response.failed"]);
  expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index));
  const failed = responseIn(events.at(-1));
  expect(failed).toMatchObject({ status: "failed", store: false, error: { code: "upstream_error" } });
  expect(failed.output).toMatchObject([{ type: "message", status: "incomplete", content: [{ text: "Hel" }] }]);
  expect((await problemOf(responses.get(call.principal, failed.id))).kind).toBe("not_found");
});

test("a complete answer is stored even if its client leaves before the closing events", async () => {
  const { responses } = setUp();
  let id = "";
  for await (const event of responses.stream(call, request()).events) {
    if (event.type === "response.created") id = responseIn(event).id;
    if (event.type === "response.output_text.done") break;
  }
  const stored = await responses.get(call.principal, id);
  expect(stored).toMatchObject({ status: "completed", output: [{ content: [{ text: "Hello" }] }] });
});

test("cancel stops a running stream, which ends with the state that is stored", async () => {
  const { responses } = setUp(async function* (signal) {
    yield start;
    yield text("Hel");
    const stopped = new AppError("client_closed", "stopped");
    await new Promise((_, reject) => signal.addEventListener("abort", () => reject(stopped)));
  });
  const stream = responses.stream(call, request());
  const events: ResponseEvent[] = [];
  let cancelled: ResponseObject | undefined;
  for await (const event of stream.events) {
    events.push(event);
    if (event.type !== "response.output_text.delta") continue;
    const { id } = responseIn(events[0]);
    expect(await responses.get(call.principal, id)).toMatchObject({
      status: "in_progress",
      output: [{ id: expect.any(String) }],
    });
    expect((await problemOf(responses.remove(call.principal, id))).kind).toBe("conflict");
    const continuing = responses.create(call, request({ previous_response_id: id }));
    expect((await problemOf(continuing)).detail.param).toBe("previous_response_id");
    expect((await problemOf(responses.cancel(other.principal, id))).kind).toBe("not_found");
    cancelled = await responses.cancel(call.principal, id);
  }
  expect(cancelled).toMatchObject({ status: "cancelled", output: [{ status: "incomplete" }] });
  expect(typesOf(events).at(-1)).toBe("response.incomplete");
  expect(responseIn(events.at(-1))).toEqual(cancelled as ResponseObject);
  const { id } = responseIn(events[0]);
  expect(await responses.get(call.principal, id)).toEqual(cancelled as ResponseObject);
  expect(await responses.cancel(call.principal, id)).toEqual(cancelled as ResponseObject);
});

test("a cancelled response is read as cancelled before its stream has ended", async () => {
  const { responses } = setUp();
  const { events } = responses.stream(call, request());
  const { id } = responseIn((await events.next()).value as ResponseEvent);
  const cancelled = await responses.cancel(call.principal, id);
  expect(await responses.get(call.principal, id)).toEqual(cancelled);
  expect((await create(responses, { previous_response_id: id })).previous_response_id).toBe(id);
  await events.return();
});

test("a stream whose client leaves before it reads is forgotten", async () => {
  const { responses } = setUp();
  const client = new AbortController();
  const { events } = responses.stream(callOf({ ...call, signal: client.signal }), request());
  const { id } = responseIn((await events.next()).value as ResponseEvent);
  client.abort();
  expect((await problemOf(responses.get(call.principal, id))).kind).toBe("not_found");
});

test("a response that has ended can't be cancelled", async () => {
  const { responses } = setUp();
  const { id } = await create(responses);
  const problem = await problemOf(responses.cancel(call.principal, id));
  expect([problem.kind, problem.message]).toEqual(["conflict", expect.stringContaining("is already completed")]);
});

test("a stream is stopped and not stored when its reader disconnects", async () => {
  let isStopped = false;
  const { responses } = setUp(async function* () {
    try {
      yield start;
      for (;;) yield text("x");
    } finally {
      isStopped = true;
    }
  });
  let id = "";
  for await (const event of responses.stream(call, request()).events) {
    if (event.type === "response.created") ({ id } = event.response);
    if (event.type === "response.output_text.delta") break;
  }
  expect(isStopped).toBe(true);
  expect((await problemOf(responses.get(call.principal, id))).kind).toBe("not_found");
});

test("a response is on disk before it is returned or its stream ends", async () => {
  const { responses, store } = setUp();
  const { id, store: isStored } = await create(responses);
  expect([isStored, (await store.find(call.principal, id)).response.id]).toEqual([true, id]);
  for await (const event of responses.stream(call, request()).events) {
    if (event.type !== "response.completed") continue;
    expect((await store.find(call.principal, event.response.id)).response).toEqual(event.response);
  }
});

test("an answer that can't be stored is returned with store false", async () => {
  const { responses, store, warnings } = setUp();
  store.save = () => Promise.reject(new AppError("storage_full", "full"));
  expect((await create(responses)).store).toBe(false);
  expect(warnings).toHaveLength(1);
});

test.each<[string, Partial<CreateResponse>, boolean, number]>([
  ["store is false", { store: false }, true, 30],
  ["content logging is off", {}, false, 30],
  ["content logging is off, even if asked", { store: true }, false, 30],
  ["storing is turned off", {}, true, 0],
])("nothing is stored if %s", async (_, fields, contentLogging, days) => {
  const { responses } = setUp(plain, { days });
  const by = { ...call, principal: { ...call.principal, contentLogging } };
  const { id, store } = await create(responses, fields, by);
  expect(store).toBe(false);
  expect((await problemOf(responses.get(call.principal, id))).kind).toBe("not_found");
});

test("a response expires after its retention period, unless it is continued", async () => {
  const { responses, store } = setUp();
  const [lonely, first] = [await create(responses), await create(responses)];
  timeMs += 20 * DAY_MS;
  const second = await create(responses, { previous_response_id: first.id });
  timeMs += 20 * DAY_MS;
  expect((await problemOf(responses.get(call.principal, lonely.id))).kind).toBe("not_found");
  expect((await responses.get(call.principal, first.id)).id).toBe(first.id);
  await store.sweep();
  expect(await db.$count((await import("../../db/schema")).responses)).toBe(2);
  await create(responses, { previous_response_id: second.id });
  timeMs += 31 * DAY_MS;
  await store.sweep();
  expect(await db.$count((await import("../../db/schema")).responses)).toBe(0);
});

test("a conversation can't be continued once one of its responses is gone", async () => {
  const { responses } = setUp();
  const first = await create(responses);
  const second = await create(responses, { previous_response_id: first.id });
  await responses.remove(call.principal, first.id);
  const problem = await problemOf(create(responses, { previous_response_id: second.id }));
  expect([problem.kind, problem.detail.param]).toEqual(["not_found", "previous_response_id"]);
  expect(problem.message).toContain(first.id);
});

describe("what a request refers to is limited in size", () => {
  const big = "x".repeat(1000);

  test("the responses that it continues", async () => {
    const { responses } = setUp(plain, { maxBytes: 3000 });
    const first = await create(responses, { input: big });
    const second = await create(responses, { input: big, previous_response_id: first.id });
    const third = await create(responses, { input: big, previous_response_id: second.id });
    const problem = await problemOf(create(responses, { previous_response_id: third.id }));
    expect([problem.kind, problem.detail.param]).toEqual(["payload_too_large", "previous_response_id"]);
    expect(problem.message).toContain("3000 bytes");
  });

  test("the items that it names, of which none may be named twice", async () => {
    const { responses } = setUp(plain, { maxBytes: 3000 });
    const ids: string[] = [];
    for (let made = 0; made < 3; made++) {
      const { id } = await create(responses, { input: big });
      const [item] = (await responses.inputItems(call.principal, id, {})).data;
      ids.push(item?.id ?? "");
    }
    const referTo = (...named: string[]) => create(responses, { input: named.map((id) => ({ id })) });
    expect((await referTo(...ids.slice(0, 2))).status).toBe("completed");
    const tooMuch = await problemOf(referTo(...ids));
    expect([tooMuch.kind, tooMuch.detail.param]).toEqual(["payload_too_large", "input"]);
    const twice = await problemOf(referTo(ids[0] ?? "", ids[0] ?? ""));
    expect([twice.kind, twice.detail.param]).toEqual(["invalid_request", "input.1.id"]);
  });

  test("only the items that it names count, not all that their responses have", async () => {
    const { responses } = setUp(plain, { maxBytes: 3000 });
    const { id, output } = await create(responses, { input: big.repeat(5) });
    const input = [{ id: output[0]?.id ?? "" }, { role: "user" as const, content: "Why?" }];
    const next = await create(responses, { input });
    expect((await responses.inputItems(call.principal, next.id, { order: "asc" })).data[0]).toEqual(output[0] as never);
    const foreign = await problemOf(create(responses, { input }, other));
    expect([foreign.kind, foreign.detail.param, id]).toEqual(["not_found", "input.0.id", expect.any(String)]);
  });
});

test("a summary is never shortened, and an empty one replaces nothing", async () => {
  const { responses, calls } = setUp();
  const busy = callOf({ ...call, mayShorten: true, mayFallBack: true });
  await responses.compact(busy, { input: "Hi" });
  expect(calls).toMatchObject([{ mayShorten: false, mayFallBack: true }]);
  const problem = await problemOf(setUp(plain, { content: " " }).responses.compact(call, { input: "Hi" }));
  expect(problem.kind).toBe("upstream_error");
});
