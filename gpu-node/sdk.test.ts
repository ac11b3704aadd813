import { afterAll, describe, expect, test } from "bun:test";
import OpenAI, { APIError, AuthenticationError, BadRequestError, NotFoundError, RateLimitError } from "openai";
import { testNode } from "../tests/test-node";

const token = "a token that gateway and node share";
const node = await testNode({ token });
afterAll(() => node.close(0));

const openai = new OpenAI({ baseURL: `${node.url}/v1`, apiKey: token, maxRetries: 0 });
const model = "smollm2-135m-instruct";
const chat = (content: string, client = openai) =>
  client.chat.completions.create({ model, messages: [{ role: "user", content }], max_tokens: 4 });
/** The error of a call. The SDK's promises start their request only when awaited. */
const thrownBy = async (call: () => Promise<unknown>): Promise<unknown> => {
  try {
    await call();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
};

describe("the official SDK, connected directly to a node", () => {
  test("reads answers, streams and lists", async () => {
    const answer = await chat("Hi");
    const stream = await openai.chat.completions.create({
      model,
      messages: [{ role: "user", content: "Hi" }],
      max_tokens: 4,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    let total = 0;
    for await (const { choices, usage } of stream) {
      text += choices[0]?.delta.content ?? "";
      total += usage?.total_tokens ?? 0;
    }
    expect([text, total]).toEqual([answer.choices[0]?.message.content ?? "", 5]);
    expect((await openai.completions.create({ model, prompt: "Hi", max_tokens: 2 })).usage?.completion_tokens).toBe(2);
    expect((await openai.models.list()).data.map(({ id }) => id)).toEqual([model, "all-minilm-l6-v2"]);
    expect((await openai.models.retrieve(model)).id).toBe(model);
  });

  test("reads vectors, requested in base64", async () => {
    const { data, usage } = await openai.embeddings.create({ model: "all-minilm-l6-v2", input: ["one two", "three"] });
    expect([data.length, usage.total_tokens]).toEqual([2, 3]);
    expect(Math.hypot(...(data[1]?.embedding ?? []))).toBeCloseTo(1, 5);
  });

  test("raises its own error classes", async () => {
    const stranger = new OpenAI({ baseURL: `${node.url}/v1`, apiKey: "wrong", maxRetries: 0 });
    expect(await thrownBy(() => chat("Hi", stranger))).toBeInstanceOf(AuthenticationError);
    expect(await thrownBy(() => chat("!error 429"))).toBeInstanceOf(RateLimitError);
    expect(await thrownBy(() => chat("!error 400"))).toBeInstanceOf(BadRequestError);
    expect(await thrownBy(() => openai.models.retrieve("unknown"))).toBeInstanceOf(NotFoundError);
  });

  test("raises an error in the middle of a stream instead of returning a short answer", async () => {
    const messages = [{ role: "user" as const, content: "!error 503 after 2" }];
    const stream = await openai.chat.completions.create({ model, messages, stream: true });
    const read = async () => {
      for await (const _ of stream);
    };
    expect(await thrownBy(read)).toBeInstanceOf(APIError);
  });
});
