import { expect, test } from "bun:test";
import type { NodeModel } from "../../gpu-node/protocol";
import { AppError } from "../../lib/errors";
import { type FakeEngineOptions, fakeEngine } from "../../tests/engine-fake";
import { UNLIMITED } from "../../tests/principal";
import type { AnswerCache } from "../cache/service";
import type { Call } from "../call";
import { createModels } from "../models/registry";
import type { NodeView } from "../ports/engine";
import type { GenerationSample } from "../ports/recorder";
import type { ChatCompletionRequest, ChatEvent } from "./contract";
import { createChat } from "./service";

/** A cache that stores nothing, so every answer comes from the engine. */
const noCache: Pick<AnswerCache, "answer"> = {
  answer: async (request, generate) => ({
    report: { status: "bypass", reason: request.bypass },
    reply: await generate(request.call.signal),
  }),
};

const setUp = (options?: FakeEngineOptions, answers = noCache) => {
  const engine = fakeEngine(options);
  const samples: GenerationSample[] = [];
  const recorder = { request: () => undefined, generation: (sample: GenerationSample) => void samples.push(sample) };
  const models = createModels({ engine, defaults: { chat: "fake-model", embedding: "fake-embedder" } });
  const chat = createChat({
    engine,
    ledger: UNLIMITED,
    models,
    answers,
    recorder,
    totalMs: 10_000,
    cacheEnabled: true,
  });
  return { chat, engine, samples };
};

const call = (changes: Partial<Call> = {}): Call => ({
  principal: {
    keyId: "key_1",
    keyName: "test",
    role: "member",
    limits: { requestsPerMinute: 60, parallelRequests: 4 },
    contentLogging: true,
    via: "key",
  },
  requestId: "req_1",
  signal: new AbortController().signal,
  priority: "interactive",
  directives: { noCache: false, noStore: false, onlyIfCached: false },
  receivedAt: performance.now(),
  ...changes,
});
const hello = { messages: [{ role: "user" as const, content: "hi" }] };

const read = async (pieces: AsyncIterable<Uint8Array | string>): Promise<string> => {
  let text = "";
  for await (const piece of pieces) text += typeof piece === "string" ? piece : Buffer.from(piece).toString();
  return text;
};

test("a request without a model is sent to the default model by name", async () => {
  const { chat, engine } = setUp();
  await chat.complete(call(), "chat", hello);
  expect(JSON.parse(engine.requests[0]?.body ?? "{}").model).toBe("fake-model");
});

test("the node gets the time that is left until the caller's own deadline, unless others may join the generation", async () => {
  const { chat, engine } = setUp();
  await chat.complete(call({ deadlineMs: 400, receivedAt: performance.now() - 100 }), "chat", hello);
  await chat.complete(call({ deadlineMs: 60_000 }), "chat", hello);
  await chat.complete(call({ deadlineMs: 400 }), "chat", { ...hello, temperature: 0 });
  const [own, longer, joinable] = engine.requests;
  expect([own?.hasOwnDeadline, longer?.hasOwnDeadline, joinable?.hasOwnDeadline]).toEqual([true, false, false]);
  expect(own?.deadlineMs).toBeGreaterThan(0);
  expect(own?.deadlineMs).toBeLessThanOrEqual(300);
  expect(longer?.deadlineMs).toBeLessThanOrEqual(10_000);
  expect(joinable?.deadlineMs).toBeGreaterThan(400);
});

test("a stream contains usage only if the request asks for it; usage is always metered", async () => {
  const { chat, samples } = setUp();
  const without = await read((await chat.stream(call(), "chat", hello)).pieces);
  const asked = { ...hello, stream_options: { include_usage: true } };
  const withUsage = await read((await chat.stream(call(), "chat", asked)).pieces);
  expect([without.includes('"choices":[]'), withUsage.includes('"choices":[]')]).toEqual([false, true]);
  expect(without).toEndWith("data: [DONE]\n\n");
  expect(samples.map(({ promptTokens, completionTokens }) => [promptTokens, completionTokens])).toEqual([
    [3, 3],
    [3, 3],
  ]);
});

test("nothing is stored for a key whose content may not be stored", async () => {
  const asked: boolean[] = [];
  const { chat } = setUp(undefined, {
    answer: (request, ...rest) => {
      asked.push(request.directives.noStore);
      return noCache.answer(request, ...rest);
    },
  });
  for (const contentLogging of [true, false]) {
    await chat.complete(call({ principal: { ...call().principal, contentLogging } }), "chat", hello);
  }
  expect(asked).toEqual([false, true]);
});

test("a fallback model answers only requests whose features it supports", async () => {
  const { engine } = setUp();
  const [view] = engine.nodes();
  const model = (id: string, tools: boolean): NodeModel => ({
    ...{ id, kind: "chat", revision: "r", context_window: 4096 },
    capabilities: {
      ...{ chat: true, tools, vision: false, audio_input: false, reasoning: tools, json_schema: true, logprobs: true },
      ...{ max_choices: 1, dimensions: false, rerank: false, max_output_tokens: 4096, extra_fields: [] },
    },
  });
  const reported = [model("fake-model", true), model("able", true), model("unable", false)];
  const nodes = (): NodeView[] =>
    view?.readiness ? [{ ...view, readiness: { ...view.readiness, models: reported } }] : [];
  const models = createModels({
    ...{ engine: { nodes }, defaults: { chat: "fake-model", embedding: "" } },
    fallbacks: ["fake-model", "unable", "able"],
  });
  const recorder = { request: () => undefined, generation: () => undefined };
  const chat = createChat({
    ...{ engine, ledger: UNLIMITED, models, answers: noCache, recorder, totalMs: 10_000, cacheEnabled: true },
  });
  const tools = [{ type: "function" as const, function: { name: "f" } }];
  const ask = (body: ChatCompletionRequest) => chat.complete(call({ mayFallBack: true }), "chat", body);
  await ask({ ...hello, reasoning_effort: "none" });
  await ask({ ...hello, tools });
  const [plain, demanding] = engine.requests;
  expect([plain?.fallbacks?.models, demanding?.fallbacks?.models]).toEqual([["unable", "able"], ["able"]]);
  // Each model gets only the fields that it knows.
  const effortFor = (id: string) => JSON.parse(plain?.fallbacks?.bodyFor(id) ?? "{}").reasoning_effort;
  expect([effortFor("able"), effortFor("unable")]).toEqual(["none", undefined]);
});

test("there is one start event, then the deltas, then one done event", async () => {
  const { chat } = setUp();
  const events: ChatEvent[] = await Array.fromAsync(chat.events(call(), hello));
  expect(events.map(({ type }) => type)).toEqual(["start", "delta", "delta", "delta", "done"]);
  expect(events.map((event) => (event.type === "delta" ? event.text : "")).join("")).toBe("Hello world");
});

test("leaving the loop early stops the generation, and the tokens so far are counted", async () => {
  const { chat, engine, samples } = setUp();
  for await (const event of chat.events(call(), hello)) if (event.type === "delta") break;
  expect(engine.running()).toBe(0);
  expect(samples.map(({ errorKind, completionTokens }) => [errorKind, completionTokens])).toEqual([
    ["client_closed", 1],
  ]);
});

test("a rejection by the node reaches the caller unchanged", async () => {
  const refusal = new AppError("overloaded", "Every slot is taken.", { source: "node", retryAfterMs: 1500 });
  const { chat } = setUp({ refuse: () => refusal });
  expect(chat.complete(call(), "chat", hello)).rejects.toBe(refusal);
});

test("a model that the key may not use is model_not_found", async () => {
  const { chat } = setUp();
  const principal = { ...call().principal, allowedModels: ["another"] };
  expect(chat.complete(call({ principal }), "chat", hello)).rejects.toMatchObject({ kind: "model_not_found" });
});

test("NUL is removed from answers, because a database would truncate the stored text there", async () => {
  const { chat } = setUp({ words: ["a\0", "b", "\0"] });
  expect((await chat.answer(call(), hello)).message.content).toBe("ab");
  let text = "";
  for await (const event of chat.events(call(), hello)) if (event.type === "delta") text += event.text;
  expect(text).toBe("ab");
});
