import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readEvents } from "../harness";
import { until } from "../until";
import { type Stack, startStack } from "./stack";

/* Compares cached answers, and answers that joined another request's generation, with generated answers. */

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ tokens: 6, tokenMs: 20 });
  await until("the gateway knows its node", async () => (await stack.call("GET", "/readyz")).status === 200);
});
afterAll(() => stack.close());

const MODEL = "smollm2-135m-instruct";
type Json = Record<string, unknown>;

let questions = 0;
/** A cacheable request that has not been sent before. */
const newRequest = (path: string, fields: Json = {}): Json => {
  const text = `Question ${++questions}`;
  const what = path === "/v1/completions" ? { prompt: text } : { messages: [{ role: "user", content: text }] };
  return { model: MODEL, temperature: 0, ...what, ...fields };
};

const send = async (path: string, body: Json) => {
  const response = await stack.call("POST", path, { body });
  const cache = response.headers.get("cache-status") ?? "";
  const how = cache.includes("; hit") ? "hit" : cache.includes("collapsed") ? "joined" : "live";
  return { how, requestId: response.headers.get("x-request-id"), response };
};
const whole = async (path: string, body: Json) => {
  const { how, response, requestId } = await send(path, body);
  return { how, requestId, answer: JSON.parse(await response.text()) as Json };
};
const stream = async (path: string, body: Json) => {
  const { how, response } = await send(path, { ...body, stream: true });
  return { how, events: (await readEvents(response)) as (Json | "[DONE]")[] };
};

/** Names and types of all fields, including nested ones. A list is represented by its first item. */
const shapeOf = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== "object" || value === null) return value === null ? null : typeof value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, inner]): [string, unknown] => [name, shapeOf(inner)])
      .toSorted(([a], [b]) => a.localeCompare(b)),
  );
};

/** The shapes of a stream's events. Equal neighbours are merged, because a cached answer comes in one piece. */
const shapesOf = (events: (Json | "[DONE]")[]): unknown[] => {
  const shapes = events.map((event) => JSON.stringify(shapeOf(event)));
  return shapes.filter((shape, index) => shape !== shapes[index - 1]);
};

const STREAMS: [string, Json][] = [
  ["/v1/chat/completions", {}],
  ["/v1/chat/completions", { stream_options: { include_usage: true } }],
  ["/v1/chat/completions", { stream_options: { include_usage: false } }],
  ["/v1/completions", {}],
  ["/v1/completions", { stream_options: { include_usage: true } }],
];

describe("a stream from the cache has the fields of a live one", () => {
  test.each(STREAMS)("%s %j", async (path, fields) => {
    const body = newRequest(path, fields);
    const [live, joined] = await Promise.all([stream(path, body), stream(path, body)]);
    const cached = await stream(path, body);
    expect([live.how, joined.how, cached.how]).toEqual(["live", "joined", "hit"]);
    expect(shapesOf(joined.events)).toEqual(shapesOf(live.events));
    expect(shapesOf(cached.events)).toEqual(shapesOf(live.events));

    const constant = (events: typeof live.events) =>
      new Set(
        events.flatMap((event) =>
          event === "[DONE]" ? [] : [`${event.object} ${event.model} ${event.system_fingerprint}`],
        ),
      );
    expect(constant(cached.events)).toEqual(constant(live.events));
    expect([...constant(live.events)].join()).toContain(" fp_");
    const usages = ({ events }: typeof live) => events.flatMap((event) => (event !== "[DONE]" && event.usage) || []);
    expect(usages(cached)).toEqual(usages(live));
    expect(usages(live)).toHaveLength(
      fields.stream_options && Reflect.get(fields.stream_options, "include_usage") ? 1 : 0,
    );
  });

  test("even if the stored answer was not streamed, and vice versa", async () => {
    for (const path of ["/v1/chat/completions", "/v1/completions"]) {
      const wholeFirst = newRequest(path);
      const liveWhole = await whole(path, wholeFirst);
      const cachedStream = await stream(path, wholeFirst);
      const streamFirst = newRequest(path);
      const liveStream = await stream(path, streamFirst);
      const cachedWhole = await whole(path, streamFirst);
      expect([cachedStream.how, cachedWhole.how]).toEqual(["hit", "hit"]);
      expect(shapesOf(cachedStream.events)).toEqual(shapesOf(liveStream.events));
      expect(shapeOf(cachedWhole.answer)).toEqual(shapeOf(liveWhole.answer));
    }
  });

  test("/v1/chat", async () => {
    const body = newRequest("/v1/chat");
    const live = await stream("/v1/chat", body);
    const cached = await stream("/v1/chat", body);
    const typesOf = (events: typeof live.events) => [
      ...new Set(events.map((event) => (event === "[DONE]" ? event : event.type))),
    ];
    expect([cached.how, typesOf(cached.events)]).toEqual(["hit", typesOf(live.events)]);
  });
});

describe("every answer has its own id", () => {
  const idsOf = (events: (Json | "[DONE]")[]) =>
    new Set(events.flatMap((event) => (event === "[DONE]" ? [] : [event.id])));

  test.each(["/v1/chat/completions", "/v1/completions", "/v1/chat"])("%s, whole", async (path) => {
    const body = newRequest(path);
    const together = await Promise.all(Array.from({ length: 5 }, () => whole(path, body)));
    const later = [await whole(path, body), await whole(path, body)];
    const answers = [...together, ...later];
    expect(answers.map(({ how }) => how).sort()).toEqual([
      "hit",
      "hit",
      "joined",
      "joined",
      "joined",
      "joined",
      "live",
    ]);
    const ids = answers.map(({ answer }) => String(answer.id));
    expect(new Set(ids).size).toBe(answers.length);
    const prefix = path === "/v1/completions" ? "cmpl-" : "chatcmpl-";
    for (const id of ids) expect(id).toMatch(new RegExp(`^${prefix}[0-9a-z]{26,32}$`));
    const contents = answers.map(({ answer }) => JSON.stringify(answer.choices ?? answer.message));
    expect(new Set(contents).size).toBe(1);
    expect(new Set(answers.map(({ requestId }) => requestId)).size).toBe(answers.length);
  });

  test.each(["/v1/chat/completions", "/v1/completions"])(
    "%s has the same id in all chunks of a stream",
    async (path) => {
      const body = newRequest(path);
      const together = await Promise.all(Array.from({ length: 5 }, () => stream(path, body)));
      const streams = [...together, await stream(path, body), await stream(path, body)];
      for (const { events } of streams) expect(idsOf(events).size).toBe(1);
      expect(new Set(streams.flatMap(({ events }) => [...idsOf(events)])).size).toBe(streams.length);
    },
  );

  test("/v1/chat has the id in the last event of a stream", async () => {
    const body = newRequest("/v1/chat");
    const together = await Promise.all(Array.from({ length: 5 }, () => stream("/v1/chat", body)));
    const streams = [...together, await stream("/v1/chat", body)];
    const ids = streams.map(({ events }) => {
      const done = events.find((event) => event !== "[DONE]" && event.type === "done") as { answer: { id: string } };
      return done.answer.id;
    });
    expect(new Set(ids).size).toBe(streams.length);
  });

  test("`created` of a cached answer is the time it was sent", async () => {
    const body = newRequest("/v1/chat/completions");
    const first = await whole("/v1/chat/completions", body);
    const created = Number(first.answer.created);
    await until("a second has passed", () => Math.floor(Date.now() / 1000) > created);
    expect(Number((await whole("/v1/chat/completions", body)).answer.created)).toBeGreaterThan(created);
  });
});

describe("a prompt longer than the context", () => {
  const long = "word ".repeat(6000);
  const messages = [{ role: "user", content: long }];
  test.each<[string, Json, string]>([
    ["/v1/chat/completions", { messages }, "messages"],
    ["/v1/chat/completions", { messages, stream: true }, "messages"],
    ["/v1/chat", { messages }, "messages"],
    ["/v1/chat", { messages, stream: true }, "messages"],
    ["/v1/completions", { prompt: long }, "prompt"],
    ["/v1/completions", { prompt: [long], stream: true }, "prompt"],
    ["/v1/embeddings", { model: "all-minilm-l6-v2", input: long }, "input"],
    ["/v1/embeddings", { model: "all-minilm-l6-v2", input: ["a", long] }, "input.1"],
    ["/v1/evaluate", { sample: { input: long, references: ["x"] }, evaluators: ["reference@1"] }, "messages"],
  ])("on %s (%#) is rejected with the message that clients look for", async (path, body, param) => {
    const { response } = await send(path, body);
    const { error } = JSON.parse(await response.text());
    expect([response.status, error.code, error.param]).toEqual([400, "context_length_exceeded", param]);
    expect(error.message).toMatch(
      /^This model's maximum context length is \d+ tokens\. .*\(context_length_exceeded\)$/,
    );
  });
});
