import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import OpenAI from "openai";
import { until } from "../until";
import { type Stack, startStack } from "./stack";

let stack: Stack;
let client: OpenAI;

beforeAll(async () => {
  stack = await startStack({ tokens: 8, tokenMs: 5 });
  client = clientOf(stack.adminKey);
  await client.models.list();
});
afterAll(() => stack.close());

const clientOf = (apiKey: string, options: { maxRetries?: number } = {}) =>
  new OpenAI({ apiKey, baseURL: `${stack.url}/v1`, maxRetries: 0, ...options });
const MODEL = "smollm2-135m-instruct";
const ask = (content: string) => ({ model: MODEL, messages: [{ role: "user" as const, content }] });

/** A request that this version does not implement yet. */
const addNode = (from: OpenAI) => from.post("/nodes", { body: { name: "node-2", url: "http://10.0.0.5:8081" } });

/** The error of a rejected promise. Throws if it resolves. */
const rejection = async (promise: PromiseLike<unknown>): Promise<unknown> => {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("The request was expected to fail.");
};

describe("answers", () => {
  test("gets a chat completion", async () => {
    const { data, request_id } = await client.chat.completions.create(ask("Hello")).withResponse();
    expect(data.object).toBe("chat.completion");
    expect(data.choices[0]?.message.content).not.toBe("");
    expect(data.choices[0]?.finish_reason).toBe("stop");
    expect(data.usage?.total_tokens).toBe((data.usage?.prompt_tokens ?? 0) + (data.usage?.completion_tokens ?? 0));
    expect(request_id).toStartWith("req_");
  });

  test("a stream contains the text of the complete answer, and usage only on request", async () => {
    const whole = await client.chat.completions.create({ ...ask("Count"), seed: 1 });
    const read = async (options: { include_usage: boolean } | undefined) => {
      let text = "";
      const usages: number[] = [];
      const stream = await client.chat.completions.create({
        ...ask("Count"),
        seed: 2,
        stream: true,
        stream_options: options,
      });
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? "";
        if (chunk.usage) usages.push(chunk.usage.total_tokens);
      }
      return { text, usages };
    };
    const plain = await read(undefined);
    const counted = await read({ include_usage: true });
    expect(plain.usages).toEqual([]);
    expect(counted.usages).toEqual([whole.usage?.total_tokens ?? 0]);
    expect(counted.text).toBe(plain.text);
    expect(plain.text).not.toBe("");
  });

  test("an answer from create, parse or stream can be sent back in messages unchanged", async () => {
    const whole = (await client.chat.completions.create(ask("Hello"))).choices[0]?.message;
    const parsed = (await client.chat.completions.parse(ask("Hello"))).choices[0]?.message;
    const streamed = await client.chat.completions.stream(ask("Hello")).finalMessage();
    for (const message of [whole, parsed, streamed]) {
      if (!message) throw new Error("The answer has no message.");
      const messages = [...ask("Hello").messages, message, ...ask("Go on").messages];
      expect((await client.chat.completions.create({ model: MODEL, messages })).choices).toHaveLength(1);
    }
  });

  test("two prompts get one choice each", async () => {
    const { choices, usage } = await client.completions.create({ model: MODEL, prompt: ["One", "Two"] });
    expect(choices.map(({ index }) => index)).toEqual([0, 1]);
    expect(usage?.completion_tokens).toBeGreaterThan(choices.length);
  });

  test("gets a completion", async () => {
    const completion = await client.completions.create({ model: MODEL, prompt: "The capital of France is" });
    expect([completion.object, completion.choices[0]?.text === ""]).toEqual(["text_completion", false]);
  });

  test("gets embeddings, which it requests in base64 by default", async () => {
    const input = ["A man is eating food.", "A plane takes off."];
    const { data, usage } = await client.embeddings.create({ model: "all-minilm-l6-v2", input });
    const asList = await client.embeddings.create({ model: "all-minilm-l6-v2", input, encoding_format: "float" });
    expect(data.map(({ index, embedding }) => [index, embedding.length])).toEqual([
      [0, 64],
      [1, 64],
    ]);
    expect(asList.data.map(({ embedding }) => embedding)).toEqual(data.map(({ embedding }) => embedding));
    expect(usage).toEqual({ prompt_tokens: 9, total_tokens: 9 });
  });

  test("gets the list of models, and a single model", async () => {
    const ids: string[] = [];
    for await (const model of client.models.list()) ids.push(model.id);
    expect(ids).toContain(MODEL);
    expect((await client.models.retrieve(MODEL)).object).toBe("model");
  });

  test("a response format is passed to the node unchanged", async () => {
    const schema = {
      type: "object",
      properties: { city: { type: "string" } },
      required: ["city"],
      additionalProperties: false,
    };
    const request = {
      ...ask("Name a city as JSON"),
      response_format: { type: "json_schema" as const, json_schema: { name: "city", strict: true, schema } },
    };
    const outcome = await client.chat.completions.create(request).catch((error: unknown) => error);
    // The synthetic engine has no grammar. It either answers or rejects this parameter, but never ignores it.
    if (outcome instanceof OpenAI.APIError) expect([outcome.status, outcome.param]).toEqual([400, "response_format"]);
    else expect(outcome).toHaveProperty("choices");
  });
});

describe("errors become the SDK's own classes", () => {
  const expectError = (error: unknown, status: number, code: string, param: string | null = null) => {
    if (!(error instanceof OpenAI.APIError)) throw error;
    expect([error.status, error.code, error.param ?? null]).toEqual([status, code, param]);
    expect(error.requestID).toStartWith("req_");
  };

  test("AuthenticationError for a wrong key", async () => {
    const error = await rejection(clientOf("gw_wrong").chat.completions.create(ask("Hello")));
    expect(error).toBeInstanceOf(OpenAI.AuthenticationError);
    expectError(error, 401, "invalid_api_key");
  });

  test("PermissionDeniedError for an insufficient role", async () => {
    const viewer = await stack.keyOf("viewer");
    const error = await rejection(clientOf(viewer).chat.completions.create(ask("Hello")));
    expect(error).toBeInstanceOf(OpenAI.PermissionDeniedError);
    expectError(error, 403, "insufficient_role");
  });

  test("NotFoundError for an unknown model", async () => {
    const error = await rejection(client.chat.completions.create({ ...ask("Hello"), model: "gpt-99" }));
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expectError(error, 404, "model_not_found", "model");
    expect(await rejection(client.models.retrieve("gpt-99"))).toBeInstanceOf(OpenAI.NotFoundError);
  });

  test("BadRequestError names the parameter", async () => {
    const error = await rejection(client.chat.completions.create({ ...ask("Hello"), temperature: 9 }));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expectError(error, 400, "invalid_request", "temperature");
  });

  test("RateLimitError when the limit per minute is reached", async () => {
    const limited = clientOf(await stack.keyOf("member", { requests_per_minute: 1 }));
    await limited.chat.completions.create(ask("Hello"));
    const error = await rejection(limited.chat.completions.create(ask("Hello")));
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expectError(error, 429, "rate_limited");
    if (error instanceof OpenAI.APIError) expect(Number(error.headers?.get("retry-after-ms"))).toBeGreaterThan(0);
  });

  test("InternalServerError for a feature that this version does not have", async () => {
    const error = await rejection(addNode(client));
    expect(error).toBeInstanceOf(OpenAI.InternalServerError);
    expectError(error, 501, "not_implemented");
  });
});

describe("retries", () => {
  test("a rejected request is retried after `retry-after-ms` until it is accepted", async () => {
    const key = await stack.keyOf("member", { parallel_requests: 1 });
    const running = await clientOf(key).chat.completions.create({ ...ask("A story"), stream: true });
    const iterator = running[Symbol.asyncIterator]();
    await iterator.next();

    const refused = await rejection(clientOf(key).chat.completions.create(ask("Hello")));
    expect(refused).toBeInstanceOf(OpenAI.RateLimitError);
    const patient = clientOf(key, { maxRetries: 5 }).chat.completions.create(ask("Hello"));
    while (!(await iterator.next()).done);
    expect((await patient).choices).toHaveLength(1);
  });

  test("an error that a retry can't fix is not retried, even with status 501", async () => {
    const before = await handled("/v1/nodes");
    await rejection(addNode(clientOf(stack.adminKey, { maxRetries: 3 })));
    expect((await handled("/v1/nodes")) - before).toBe(1);
  });

  /** Number of requests that this gateway has counted for a route. */
  const handled = async (route: string): Promise<number> => {
    const metrics = (await (await stack.call("GET", "/v1/metrics?window=5m&step=1m")).json()) as {
      routes: { route: string; requests: number }[];
    };
    return metrics.routes.find((one) => one.route === route)?.requests ?? 0;
  };
});

test("an aborted stream ends immediately and frees its slot on the node", async () => {
  // An answer that never ends by itself.
  const stream = await client.chat.completions.create({ ...ask("!hang after 1"), stream: true });
  for await (const _ of stream) stream.controller.abort();
  const running = async () => {
    const { data } = (await (await stack.call("GET", "/v1/nodes")).json()) as { data: { outstanding: number }[] };
    return data.reduce((sum, { outstanding }) => sum + outstanding, 0);
  };
  await until("nothing runs on the node", async () => (await running()) === 0, 5000);
});
