import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import OpenAI from "openai";
import type { ResponseCreateParamsNonStreaming } from "openai/resources/responses/responses";
import type { ErrorEnvelope } from "../../lib/errors";
import { deep, image, MODEL, post, startCapableStack, startUnableStack } from "./capable-stack";
import type { Stack } from "./stack";

/* Requests that `/v1/responses` refuses. Each error names a field of this API. */

let capable: Awaited<ReturnType<typeof startCapableStack>>;
let unable: Stack;
beforeAll(async () => {
  capable = await startCapableStack();
  unable = await startUnableStack();
});
afterAll(async () => {
  await capable.close();
  await unable.close();
});

const refusal = async (body: object, stack = capable.stack): Promise<ErrorEnvelope["error"]> => {
  const { status, body: answer } = await post(stack, "/v1/responses", { input: "Hi", ...body });
  expect([status, answer.error?.code]).toEqual([400, "invalid_request"]);
  expect(answer.error.message).not.toMatch(/messages\.|response_format|reasoning_effort|max_tokens/);
  return answer.error;
};

const tool = { type: "function", name: "f" };

describe("hosted tools are refused by name:", () => {
  test.each([
    ...["web_search", "web_search_preview", "file_search", "code_interpreter", "image_generation", "computer"],
    ...["computer_use_preview", "mcp", "local_shell", "shell", "apply_patch", "custom", "tool_search"],
  ])("%s", async (type) => {
    const { param, message } = await refusal({ tools: [tool, { type }] });
    expect([param, message]).toEqual(["tools.1.type", expect.stringContaining(`"${type}"`)]);
    expect(message).toContain("Hosted tools are not available");
    expect((await refusal({ tools: [tool], tool_choice: { type } })).param).toBe("tool_choice.type");
  });
});

describe("an unsupported field is refused by name:", () => {
  test.each<[object, string]>([
    [{ background: true }, "background"],
    [{ truncation: "auto" }, "truncation"],
    [{ max_tool_calls: 3 }, "max_tool_calls"],
    [{ top_logprobs: 5 }, "top_logprobs"],
    [{ include: ["message.output_text.logprobs"] }, "include.0"],
    [{ include: ["file_search_call.results"] }, "include.0"],
    [{ conversation: "conv_1" }, "conversation"],
    [{ prompt: { id: "pmpt_1" } }, "prompt"],
    [{ reasoning: { summary: "detailed" } }, "reasoning.summary"],
    [{ text: { verbosity: "low" } }, "text.verbosity"],
    [{ text: { format: { type: "grammar" } } }, "text.format.type"],
    [{ metadata: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [n, "x"])) }, "metadata"],
    [{ metadata: { ["x".repeat(65)]: "" } }, "metadata"],
    [{ metadata: { "a\nb": { c: 1 } } }, "metadata"],
    [{ messages: [] }, "messages"],
    [{ input: [] }, "input"],
    [{ input: [{ type: "web_search_call", id: "ws_1" }] }, "input.0.type"],
    [{ input: [{ role: "tool", content: "x" }] }, "input.0.role"],
    [{ input: [{ role: "user", content: [{ type: "input_file", file_id: "f" }] }] }, "input.0.content.0.type"],
    [{ input: [{ role: "user", content: [{ type: "text", text: "x" }] }] }, "input.0.content.0.type"],
    [{ input: [{ type: "function_call_output", call_id: "a", output: "x" }] }, "input.0.call_id"],
    [{ tools: [{ ...tool, name: "a b" }] }, "tools.0.name"],
    [{ tools: [tool, { ...tool, name: "g", parameters: deep(33) }] }, "tools.1.parameters"],
    [{ tool_choice: "required" }, "tool_choice"],
    [{ tools: [tool], tool_choice: { type: "function", name: "g" } }, "tool_choice.name"],
    [
      { tools: [tool], tool_choice: { type: "allowed_tools", tools: [{ ...tool, name: "g" }] } },
      "tool_choice.tools.0.name",
    ],
  ])("%j", async (fields, param) => {
    expect((await refusal(fields)).param).toBe(param);
  });
});

describe("an image that isn't a data URL is refused, because images are not fetched:", () => {
  test.each(["https://example.com/a.png", "http://127.0.0.1:1/a.png", "data:text/html;base64,AAAA"])(
    "%s",
    async (url) => {
      const content = [
        { type: "input_text", text: "?" },
        { type: "input_image", image_url: url },
      ];
      const { param, message } = await refusal({ input: [{ role: "user", content }] });
      expect([param, message]).toEqual(["input.0.content.1.image_url", expect.stringContaining("data URL")]);
    },
  );
});

describe("a field that the model doesn't support is refused, and the error names the model:", () => {
  const seen = {
    role: "user",
    content: [
      { type: "input_text", text: "?" },
      { type: "input_image", image_url: image.image_url.url },
    ],
  };
  const called = { type: "function_call", call_id: "a", name: "f", arguments: "{}" };
  test.each<[object, string, string]>([
    [{ tools: [tool] }, "tools", "tools"],
    [{ input: [{ role: "user", content: "Hi" }, called] }, "input.1.type", "tools"],
    [
      { input: [{ role: "system", content: "a" }, { role: "system", content: "b" }, seen] },
      "input.2.content.1.type",
      "vision",
    ],
    [{ reasoning: { effort: "high" } }, "reasoning.effort", "reasoning"],
    [{ text: { format: { type: "json_object" } } }, "text.format", "json_schema"],
  ])("%j", async (fields, param, capability) => {
    for (const stream of [false, true]) {
      const error = await refusal({ ...fields, stream }, unable);
      expect([error.param, error.message]).toEqual([param, expect.stringContaining(`capability ${capability}`)]);
      expect(error.message).toStartWith(param);
    }
  });

  test("and OpenAI's client throws a BadRequestError", async () => {
    const client = new OpenAI({ baseURL: `${unable.url}/v1`, apiKey: unable.adminKey, maxRetries: 0 });
    const request = { model: "smollm2-135m-instruct", input: [seen] } as ResponseCreateParamsNonStreaming;
    const error = await client.responses.create(request).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect((error as InstanceType<typeof OpenAI.APIError>).param).toBe("input.0.content.1.type");
  });

  test("an image reaches a model that can read it", async () => {
    const { status } = await post(capable.stack, "/v1/responses", { model: MODEL, input: [seen] });
    expect(status).toBe(200);
  });
});
