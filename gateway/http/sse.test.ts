import { expect, test } from "bun:test";
import { AppError } from "../../lib/errors";
import { silentLog } from "../../lib/log";
import { ActiveRequests } from "../active-requests";
import type { RequestSample } from "../ports/recorder";
import { Exchange } from "./exchange";
import { sseResponse, startEvents, streamWhenReady } from "./sse";

const exchangeWith = () => {
  const samples: RequestSample[] = [];
  const recorder = { request: (sample: RequestSample) => void samples.push(sample), generation: () => undefined };
  const exchange = new Exchange(new Request("http://localhost/v1/chat"), {
    recorder,
    requestLog: { add: () => {}, replace: () => {} },
    log: silentLog(),
    activeRequests: new ActiveRequests(),
    standing: new Headers(),
  });
  return { exchange, samples };
};

test("a stream that fails ends with the error envelope and no end marker", async () => {
  const { exchange, samples } = exchangeWith();
  const pieces = async function* () {
    yield "data: 1\n\n";
    throw new AppError("upstream_error", "The GPU node broke off.", { source: "node" });
  };
  const text = await sseResponse(exchange, { headers: {}, pieces: pieces() }).text();
  const [first, last] = text.trimEnd().split("\n\n");
  expect(first).toBe("data: 1");
  expect(JSON.parse(last?.slice("data: ".length) ?? "{}").error).toMatchObject({
    code: "upstream_error",
    source: "node",
  });
  expect(text).not.toContain("[DONE]");
  expect(samples.map(({ errorKind }) => errorKind)).toEqual(["upstream_error"]);
});

test("an error before the first frame keeps its own status", async () => {
  const { exchange } = exchangeWith();
  const refused = Promise.reject(new AppError("overloaded", "Every slot is taken."));
  expect(streamWhenReady(exchange, refused, 1000)).rejects.toMatchObject({ status: 429 });
});

test("a client that disconnects after the first event stops the source of the events", async () => {
  const { exchange } = exchangeWith();
  let hasEnded = false;
  const events = async function* () {
    try {
      for (;;) yield { text: "Hello" };
    } finally {
      hasEnded = true;
    }
  };
  const reader = sseResponse(exchange, await startEvents(events(), () => ({}))).body?.getReader();
  await reader?.read();
  await reader?.cancel();
  expect(hasEnded).toBe(true);
});

test("a client that disconnects stops the source of the pieces, and is recorded as 499", async () => {
  const { exchange, samples } = exchangeWith();
  const ended = Promise.withResolvers<void>();
  const pieces = async function* () {
    try {
      for (;;) yield "data: 1\n\n";
    } finally {
      ended.resolve();
    }
  };
  const reader = sseResponse(exchange, { headers: {}, pieces: pieces() }).body?.getReader();
  await reader?.read();
  await reader?.cancel();
  await ended.promise;
  expect(samples.map(({ status }) => status)).toEqual([499]);
});

test("a frame is only requested when the client reads it", async () => {
  const { exchange } = exchangeWith();
  let made = 0;
  const pieces = async function* () {
    for (;;) yield `data: ${++made}\n\n`;
  };
  const reader = sseResponse(exchange, { headers: {}, pieces: pieces() }).body?.getReader();
  for (let i = 0; i < 3; i++) await reader?.read();
  expect(made).toBe(3);
  await reader?.cancel();
});

test("if the first frame takes longer than the patience, a comment is sent before it and an error becomes a frame", async () => {
  const { exchange } = exchangeWith();
  const starting = Promise.withResolvers<never>();
  const response = await streamWhenReady(exchange, starting.promise, 1);
  starting.reject(new AppError("overloaded", "Every slot is taken."));
  const [comment, last] = (await response.text()).split("\n\n");
  expect(comment).toBe(": waiting");
  expect(last).toContain('"code":"overloaded"');
});
