import { expect, test } from "bun:test";
import { createImageRules } from "../chat/images";
import type { Model } from "../models/contract";
import type { EndpointName } from "./endpoints";
import { readLines } from "./lines";
import { validateFile } from "./validate";

const model = (id: string, kind: Model["kind"], extra: Partial<Model["capabilities"]> = {}): Model => ({
  ...{ id, kind, object: "model", type: "model", display_name: id, created: 0, created_at: "2026-11-24T09:00:00.000Z" },
  ...{ owned_by: "groundwire", revision: "r1", context_window: 100 },
  ...{ dimensions: null, prefixes: null, sampling: null, default: true, ready: true },
  capabilities: {
    ...{ chat: true, tools: false, vision: false, audio_input: false, reasoning: false, json_schema: true },
    ...{ logprobs: true, max_choices: 1, dimensions: false, rerank: false, max_output_tokens: 100, extra_fields: [] },
    ...extra,
  },
});
const MODELS = [model("small", "chat", { extra_fields: ["min_tokens"] }), model("vectors", "embedding")];

interface Rules {
  endpoint?: EndpointName;
  maxRequests?: number;
  list?: Model[];
  allowedModels?: string[];
}

const validate = (text: string | Uint8Array, rules: Rules = {}) => {
  const { endpoint = "/v1/chat/completions", maxRequests = 10, list = MODELS, allowedModels } = rules;
  const maxLineBytes = 400;
  const pieces = async function* () {
    yield Buffer.from(text as string);
  };
  return validateFile(readLines(pieces(), maxLineBytes), {
    ...{ endpoint, maxRequests, maxLineBytes },
    images: createImageRules([]),
    models: { list, allowedModels, fallbacks: ["spare"] },
  });
};

const messages = [{ role: "user", content: "Hi" }];
const line = (changes: object = {}, body: object = { model: "small", messages }): string =>
  JSON.stringify({ custom_id: "a", method: "POST", url: "/v1/chat/completions", body, ...changes });
const chat = (fields: object): string => line({}, { messages, ...fields });

/** Invalid files, each with the code, line and parameter of its first problem. */
const WRONG: [what: string, file: string, code: string, line: number | null, param: string | null, rules?: Rules][] = [
  ["no lines", "", "empty_file", null, null],
  ["only blank lines", "\r\n \n", "empty_file", null, null],
  ["a byte order mark and nothing else", "\ufeff", "empty_file", null, null],
  ["a line that is not JSON", `${line()}\n{"custom_id":`, "invalid_json_line", 2, null],
  ["a JSON list", `[${line()}]`, "invalid_json_line", 1, null],
  ["a line that is too long", line({}, { messages, user: "x".repeat(400) }), "line_too_long", 1, null],
  ["a repeated custom_id", `${line()}\n\n${line()}`, "duplicate_custom_id", 3, "custom_id"],
  ["no custom_id", line({ custom_id: undefined }), "missing_required_parameter", 1, "custom_id"],
  ["an empty custom_id", line({ custom_id: "" }), "invalid_custom_id", 1, "custom_id"],
  ["a custom_id that is a number", line({ custom_id: 7 }), "invalid_custom_id", 1, "custom_id"],
  ["no body", line({ body: undefined }), "missing_required_parameter", 1, "body"],
  ["another method", line({ method: "GET" }), "invalid_method", 1, "method"],
  ["another url", line({ url: "/v1/embeddings" }), "invalid_url", 1, "url"],
  ["a url with the address", line({ url: "https://example.com/v1/chat/completions" }), "invalid_url", 1, "url"],
  ["an unknown field", line({ headers: {} }), "unknown_parameter", 1, "headers"],
  ["a body that is text", line({ body: "Hi" }), "invalid_request", 1, "body"],
  ["stream: true", chat({ stream: true }), "invalid_request", 1, "body.stream"],
  ["a value out of range", chat({ max_tokens: -5 }), "invalid_request", 1, "body.max_tokens"],
  ["an unknown field in the body", chat({ mesages: [] }), "invalid_request", 1, "body.mesages"],
  [
    "a field that the model doesn't take",
    chat({ tools: [{ type: "function", function: { name: "f" } }] }),
    "invalid_request",
    1,
    "body.tools",
  ],
  ["a surrogate without its pair", chat({ user: "x" }).replace('"x"', '"\\ud800"'), "invalid_json_line", 1, null],
  ["an unknown model", chat({ model: "large" }), "model_not_found", 1, "body.model"],
  ["a model of another kind", chat({ model: "vectors" }), "invalid_request", 1, "body.model"],
  [
    "a model that the key may not use",
    chat({ model: "small" }),
    "model_not_found",
    1,
    "body.model",
    { allowedModels: [] },
  ],
  [
    "more lines than allowed",
    `${line()}\n${line({ custom_id: "b" })}`,
    "too_many_requests",
    null,
    null,
    { maxRequests: 1 },
  ],
];

test.each(WRONG)("a file with %s is refused", async (_, file, code, number, param, rules) => {
  const { problems } = await validate(file, rules);
  expect(problems.map((problem) => [problem.code, problem.line, problem.param])).toEqual([[code, number, param]]);
  expect(problems[0]?.message).toMatch(/^\S.{8,}\.$/);
});

test("a file that is not UTF-8 is refused", async () => {
  const { problems } = await validate(Buffer.from(line({ custom_id: "ä" }), "latin1"));
  expect(problems).toMatchObject([{ code: "invalid_json_line", line: 1, message: expect.stringContaining("UTF-8") }]);
});

test("JSON that is indented is refused from its first line on", async () => {
  const { problems } = await validate(JSON.stringify(JSON.parse(line()), null, 2));
  expect(problems[0]).toMatchObject({
    code: "invalid_json_line",
    line: 1,
    message: expect.stringContaining("one line"),
  });
});

test("every problem is listed with its line, up to 100", async () => {
  const { problems } = await validate(`${line()}\nx\n${line()}\n`);
  expect(problems.map(({ line: number }) => number)).toEqual([2, 3]);
  expect((await validate("x\n".repeat(500), { maxRequests: 1000 })).problems).toHaveLength(100);
});

test.each<[string, string, Rules?]>([
  ["LF", `${line()}\n${line({ custom_id: "b" })}\n`],
  ["CRLF, a byte order mark and blank lines", `\ufeff${line()}\r\n\r\n${line({ custom_id: "b" })}\r\n`],
  ["no line break at the end", `${line()}\n${line({ custom_id: "b" })}`],
])("a valid file is accepted: %s", async (_, file, rules) => {
  expect(await validate(file, rules)).toEqual({ total: 2, model: "small", problems: [] });
});

test.each<[string, string, Rules?]>([
  ["a field that only the model's server knows", chat({ model: "small", min_tokens: 3 })],
  ["values without an effect", chat({ model: "small", stream: false, store: false, n: 1, user: null })],
  ["a fallback model whose node hasn't reported it", chat({ model: "spare" })],
  ["any model while no node has reported one", chat({ model: "other" }), { list: [] }],
  ["no model", chat({})],
])("a request with %s is accepted", async (_, file, rules) => {
  expect((await validate(file, rules)).problems).toEqual([]);
});

test("requests of the other endpoints are checked as well", async () => {
  const url = "/v1/embeddings" as const;
  const valid = line({ url }, { model: "vectors", input: ["a"] });
  const invalid = line({ url, custom_id: "b" }, { model: "vectors", input: [] });
  const { problems, model: named } = await validate(`${valid}\n${invalid}`, { endpoint: url });
  expect([problems.map(({ param }) => param), named]).toEqual([["body.input"], "vectors"]);
  const completion = "/v1/completions" as const;
  const prompt = line({ url: completion }, { prompt: "Hi" });
  expect(await validate(prompt, { endpoint: completion })).toEqual({ total: 1, model: null, problems: [] });
});
