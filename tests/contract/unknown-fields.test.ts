import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ErrorEnvelope } from "../../lib/errors";
import { type Stack, startStack } from "./stack";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

const refusalOf = async (response: Response) => {
  const { error } = (await response.json()) as ErrorEnvelope;
  expect([response.status, error.code]).toEqual([400, "invalid_request"]);
  return { param: error.param, message: error.message };
};

const hello = [{ role: "user", content: "Hello" }];
const KEY_FIELDS =
  "name, role, allowed_models, allowed_indexes, requests_per_minute, parallel_requests, tokens_per_minute, budgets, model_limits, observe_only, on_store_loss, content_logging, log_bodies, expires_at";

describe("an unknown field is named along with the known ones", () => {
  test.each<[method: string, path: string, body: object, param: string, begins: string]>([
    [
      "POST",
      "/v1/evaluate",
      { question: "?" },
      "question",
      "`question` is not a field of this request. Fields: sample, dataset, target",
    ],
    [
      "POST",
      "/v1/evaluate",
      { sampel: {} },
      "sampel",
      "`sampel` is not a field of this request. Did you mean `sample`? Fields: sample",
    ],
    [
      "POST",
      "/v1/evaluate",
      { sample: { question: "?" } },
      "sample.question",
      "`question` is not a field of `sample`. Fields: ",
    ],
    [
      "POST",
      "/v1/evaluate",
      { sample: { input: "?", reference: "!" } },
      "sample.reference",
      "`reference` is not a field of `sample`. Did you mean `references`? Fields: ",
    ],
    [
      "POST",
      "/v1/evaluate",
      { sample: { input: "?", context: ["!"] } },
      "sample.context",
      "`context` is not a field of `sample`. Did you mean `contexts`? Fields: ",
    ],
    [
      "POST",
      "/v1/evaluate",
      { dataset: { dataset: "d", key: "1", version: 2 } },
      "dataset.version",
      "`version` is not a field of `dataset`. Fields: dataset, revision, key.",
    ],
    [
      "POST",
      "/v1/chat/completions",
      { mesages: hello },
      "mesages",
      "`mesages` is not a field of this request. Did you mean `messages`? Fields: ",
    ],
    [
      "POST",
      "/v1/chat/completions",
      { messages: hello, maxTokens: 5 },
      "maxTokens",
      "`maxTokens` is not a field of this request. Did you mean `max_tokens`? Fields: ",
    ],
    [
      "POST",
      "/v1/chat",
      { messages: [{ role: "user", text: "Hello" }] },
      "messages.0.text",
      "`text` is not a field of `messages.0`. ",
    ],
    [
      "POST",
      "/v1/chat",
      { messages: [{ role: "user", contents: "Hello" }] },
      "messages.0.contents",
      "`contents` is not a field of `messages.0`. Did you mean `content`? Fields: role, content",
    ],
    [
      "POST",
      "/v1/chat",
      { messages: [{ role: "user", content: [{ type: "text", txt: "x" }] }] },
      "messages.0.content.0.txt",
      "`txt` is not a field of `messages.0.content.0`. Did you mean `text`? Fields: type, text, annotations, cache_control.",
    ],
    [
      "POST",
      "/v1/completions",
      { promt: "x" },
      "promt",
      "`promt` is not a field of this request. Did you mean `prompt`? Fields: ",
    ],
    [
      "POST",
      "/v1/embeddings",
      { inputs: "x" },
      "inputs",
      "`inputs` is not a field of this request. Did you mean `input`? Fields: ",
    ],
    [
      "POST",
      "/v1/keys",
      { name: "a", role: "viewer", rpm: 5 },
      "rpm",
      `\`rpm\` is not a field of this request. Fields: ${KEY_FIELDS}.`,
    ],
    [
      "POST",
      "/v1/keys",
      { name: "a", role: "viewer", expires: null },
      "expires",
      `\`expires\` is not a field of this request. Fields: ${KEY_FIELDS}.`,
    ],
    [
      "POST",
      "/v1/keys/key_1/rotate",
      { grace: 5 },
      "grace",
      "`grace` is not a field of this request. Fields: grace_seconds.",
    ],
    [
      "PATCH",
      "/v1/keys/key_1",
      { nam: "b" },
      "nam",
      `\`nam\` is not a field of this request. Did you mean \`name\`? Fields: ${KEY_FIELDS}.`,
    ],
    [
      "POST",
      "/v1/conversations",
      { titel: "x" },
      "titel",
      "`titel` is not a field of this request. Did you mean `title`? Fields: title",
    ],
    [
      "POST",
      "/v1/cache/disable",
      { namespace: "a", all: true },
      "all",
      "`all` is not a field of this request. Fields: namespace.",
    ],
    [
      "POST",
      "/v1/cache/explain",
      { request: { prompt: "x", temprature: 1 } },
      "request.temprature",
      "`temprature` is not a field of `request`. Did you mean `temperature`? Fields: ",
    ],
    [
      "POST",
      "/v1/cache/explain",
      { request: { messages: hello, temprature: 1 } },
      "request.temprature",
      "`temprature` is not a field of `request`. Did you mean `temperature`? Fields: ",
    ],
    [
      "POST",
      "/v1/datasets",
      { name: "d", samples: [{ input: "?", reference: "!" }] },
      "samples.0.reference",
      "`reference` is not a field of `samples.0`. Did you mean `references`? Fields: ",
    ],
    ["POST", "/v1/datasets", { name: "d", rows: [] }, "rows", "`rows` is not a field of this request. "],
    [
      "POST",
      "/v1/feedback",
      { rating: "up", coment: "x" },
      "coment",
      "`coment` is not a field of this request. Did you mean `comment`? Fields: ",
    ],
    [
      "POST",
      "/v1/rag/query",
      { question: "?", indx: "i" },
      "indx",
      "`indx` is not a field of this request. Did you mean `index`? Fields: ",
    ],
    [
      "POST",
      "/v1/keys",
      { name: "a", role: "viewer", "a/b~c.d": 1 },
      "a/b~c.d",
      "`a/b~c.d` is not a field of this request. ",
    ],
  ])("%s %s %j", async (method, path, body, param, begins) => {
    const refusal = await refusalOf(await stack.call(method, path, { body }));
    expect(refusal.param).toBe(param);
    expect(refusal.message).toStartWith(begins);
  });

  test.each([
    [
      "/v1/keys?limt=5",
      "limt",
      "`limt` is not a parameter of this request. Did you mean `limit`? Parameters: limit, after.",
    ],
    ["/v1/keys?offset=5", "offset", "`offset` is not a parameter of this request. Parameters: limit, after."],
    ["/v1/keys?page=2", "page", "`page` is not a parameter of this request. Parameters: limit, after."],
    [
      "/v1/datasets?serch=x",
      "serch",
      "`serch` is not a parameter of this request. Did you mean `search`? Parameters: limit, after",
    ],
    [
      "/v1/evals?status=failed",
      "status",
      "`status` is not a parameter of this request. Did you mean `state`? Parameters: limit, after, state",
    ],
    ["/v1/conversations/export?type=json", "type", "`type` is not a parameter of this request. Parameters: format."],
  ])("GET %s", async (path, param, begins) => {
    const refusal = await refusalOf(await stack.call("GET", path));
    expect(refusal.param).toBe(param);
    expect(refusal.message).toStartWith(begins);
  });

  test.each([
    ["nmae", "`nmae` is not a field of this request. Did you mean `name`? Fields: name, "],
    ["on_eror", "`on_eror` is not a field of this request. Did you mean `on_error`? Fields: name, "],
    ["title", "`title` is not a field of this request. "],
  ])("the form field %s", async (field, begins) => {
    const form = new FormData();
    form.append("file", new File(['{"input":"What?"}\n'], "samples.jsonl"));
    form.append(field, "x");
    const headers = { authorization: `Bearer ${stack.adminKey}` };
    const refusal = await refusalOf(await fetch(`${stack.url}/v1/datasets`, { method: "POST", body: form, headers }));
    expect(refusal.param).toBe(field);
    expect(refusal.message).toStartWith(begins);
  });
});

test("several unknown fields are all listed in the details, and the message stays short", async () => {
  const body = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`field_${i}`, 1]));
  const response = await stack.call("POST", "/v1/chat/completions", { body });
  const { error } = (await response.json()) as ErrorEnvelope;
  expect(error.details).toHaveLength(10);
  expect(error.message.length).toBeLessThan(400);
});

test("a name of one megabyte is truncated and gets no suggestion", async () => {
  const body = { messages: hello, ["x".repeat(1_000_000)]: 1 };
  const { message } = await refusalOf(await stack.call("POST", "/v1/chat/completions", { body }));
  expect(message).toStartWith(`\`${"x".repeat(63)}…\` is not a field of this request. Fields: `);
});

test("known fields are accepted in any order", async () => {
  const body = { max_tokens: 1, messages: hello, stream: false, temperature: 0 };
  expect((await stack.call("POST", "/v1/chat/completions", { body })).status).toBe(200);
});
