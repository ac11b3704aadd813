import { afterAll, beforeAll, expect, test } from "bun:test";
import OpenAI, { NotFoundError, toFile } from "openai";
import { errorOf } from "./error-of";
import { type Stack, startStack } from "./stack";

/* Routes of OpenAI's API that Groundwire doesn't offer. */

let stack: Stack;
let client: OpenAI;
beforeAll(async () => {
  stack = await startStack({}, { hasWorker: false });
  client = new OpenAI({ apiKey: stack.adminKey, baseURL: `${stack.url}/v1`, maxRetries: 0 });
});
afterAll(() => stack.close());

const ROUTES: [method: string, path: string, instead: string][] = [
  ["POST", "/v1/audio/transcriptions", "POST /v1/chat/completions"],
  ["POST", "/v1/audio/speech", "POST /v1/chat/completions"],
  ["POST", "/v1/images/generations", "POST /v1/chat/completions"],
  ["POST", "/v1/fine_tuning/jobs", "with a GPU node"],
  ["GET", "/v1/fine_tuning/jobs/ft_1/events", "with a GPU node"],
  ["POST", "/v1/moderations", "POST /v1/evaluate"],
  ["GET", "/v1/assistants", "POST /v1/chat/completions"],
  ["DELETE", "/v1/assistants/asst_1", "/v1/conversations"],
  ["POST", "/v1/threads/thread_1/runs", "/v1/conversations"],
  ["POST", "/v1/vector_stores/vs_1/search", "POST /v1/rag/query"],
  ["POST", "/v1/videos", "Groundwire doesn't offer /v1/videos."],
  ["GET", "/v1/realtime", "stream: true"],
];

test.each(ROUTES)("%s %s returns a 404 that says so, and what to use instead", async (method, path, instead) => {
  const response = await stack.call(method, path, { body: method === "POST" ? {} : undefined });
  const error = await errorOf(response);
  expect([response.status, error.code, error.retryable]).toEqual([404, "not_found", false]);
  expect(error.message).toStartWith(`${path} was not found. Groundwire doesn't offer /v1/${path.split("/")[2]}.`);
  expect(error.message).toContain(instead);
});

test.each(ROUTES)("%s %s requires a key first", async (method, path) => {
  const response = await stack.call(method, path, { key: null });
  expect([response.status, (await errorOf(response)).code]).toEqual([401, "missing_api_key"]);
});

test("a path that only starts like one of them gets an ordinary 404", async () => {
  for (const path of ["/v1/audios", "/v1/constructor", "/v1/__proto__", "/v1/", "/v1/chat/audio"]) {
    expect((await errorOf(await stack.call("POST", path))).message).not.toContain("doesn't offer");
  }
});

test("OpenAI's client gets the same answer, even with a file above the body limit", async () => {
  const file = await toFile(Buffer.alloc(6_000_000), "speech.mp3");
  const refused = await client.audio.transcriptions.create({ model: "whisper-1", file }).catch((error) => error);
  expect(refused).toBeInstanceOf(NotFoundError);
  expect(refused.message).toContain("Groundwire doesn't offer /v1/audio.");
});
