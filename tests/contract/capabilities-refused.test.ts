import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ScriptedServer } from "../scripted-server";
import {
  audio,
  deep,
  image,
  MODEL,
  post,
  ROUND_TRIP,
  startCapableStack,
  startUnableStack,
  text,
  tool,
  user,
} from "./capable-stack";
import type { Stack } from "./stack";

/*
 * A request for what the model can't do is refused, and the error names the field. `capable` has a server that supports
 * every feature, and `unable` has the synthetic engine, which supports none of them.
 */

let capable: Awaited<ReturnType<typeof startCapableStack>>;
let unable: Stack;
let server: ScriptedServer;
beforeAll(async () => {
  capable = await startCapableStack();
  ({ server } = capable);
  unable = await startUnableStack();
});
afterAll(async () => {
  await capable.close();
  await unable.close();
});

const chat = (body: object) => capable.chat(body);
const UNABLE = "smollm2-135m-instruct";

describe("a field that the model doesn't support is refused by name, and the error names the model:", () => {
  const refused = async (path: string, body: object, param: string, capability: string) => {
    const { status, body: answer } = await post(unable, path, body);
    expect([status, answer.error.code, answer.error.param]).toEqual([400, "invalid_request", param]);
    expect(answer.error.message).toContain(`the model "${UNABLE}"`);
    expect(answer.error.message).toContain(capability);
  };

  test.each<[object, string, string]>([
    [{ tools: [tool] }, "tools", "tools"],
    [{ tool_choice: "required" }, "tool_choice", "tools"],
    [{ reasoning_effort: "high" }, "reasoning_effort", "reasoning"],
    [{ response_format: { type: "json_object" } }, "response_format", "json_schema"],
    [{ messages: ROUND_TRIP }, "messages.1.tool_calls", "tools"],
    [{ messages: [user, ROUND_TRIP[2]] }, "messages.1.role", "tools"],
    [{ messages: [user, { role: "user", content: [text, image] }] }, "messages.1.content.1.type", "vision"],
    [{ messages: [{ role: "user", content: [audio] }] }, "messages.0.content.0.type", "audio_input"],
  ])("%j", async (fields, param, capability) => {
    const request = { messages: [user], ...fields };
    for (const path of ["/v1/chat/completions", "/v1/chat"]) await refused(path, request, param, capability);
    await refused("/v1/cache/explain", { request }, param, capability);
  });

  test.each<[object, string]>([
    [{ tools: [{}] }, "tools"],
    [{ tools: "x" }, "tools"],
    [{ messages: [user, { role: "tool" }] }, "messages.1.role"],
    [{ messages: [{ role: "user", content: [{ type: "image_url" }] }] }, "messages.0.content.0.type"],
    [{ messages: [{ role: "user", content: [{ type: "input_audio" }] }] }, "messages.0.content.0.type"],
  ])("%j, even if its value is also invalid", async (fields, param) => {
    await refused("/v1/chat/completions", { messages: [user], ...fields }, param, `the model "${UNABLE}"`);
  });

  test("several choices", async () => {
    await refused("/v1/chat/completions", { messages: [user], n: 2 }, "n", "max_choices");
    await refused("/v1/completions", { prompt: "a", n: 2 }, "n", "max_choices");
  });

  test("more choices than the model supports", async () => {
    const { status, body } = await chat({ n: 9 });
    expect([status, body.error.param]).toEqual([400, "n"]);
    expect(body.error.message).toStartWith(`n is 9, but must be 8 or less for the model "${MODEL}".`);
    expect((await chat({ n: 1e9 })).body.error.message).toStartWith("n is 1000000000, but must be 8 or less");
  });
});

describe("an invalid tool, choice or result is refused:", () => {
  test.each<[object, string]>([
    [{ tool_choice: "required" }, "tool_choice"],
    [{ tool_choice: { type: "function", function: { name: "f" } } }, "tool_choice"],
    [{ tools: [tool], tool_choice: { type: "function", function: { name: "f" } } }, "tool_choice.function.name"],
    [{ tools: [{ type: "web_search" }] }, "tools.0.type"],
    [{ tools: [tool, { type: "function", function: { name: "a b" } }] }, "tools.1.function.name"],
    [{ tools: Array(129).fill(tool) }, "tools"],
    [
      { tools: [tool, { type: "function", function: { name: "f", parameters: deep(33) } }] },
      "tools.1.function.parameters",
    ],
    [{ messages: [user, { role: "tool", content: "x" }] }, "messages.1.tool_call_id"],
  ])("%j", async (fields, param) => {
    const sent = server.requests.length;
    const { status, body } = await chat(fields);
    expect([status, body.error.param]).toEqual([400, param]);
    expect(server.requests.length).toBe(sent);
  });
});

describe("an invalid or unsupported content part is refused:", () => {
  const url = (address: unknown) => ({ type: "image_url", image_url: { url: address } });
  test.each<[object, string]>([
    [url("http://127.0.0.1:1/secret.png"), "image_url.url"],
    [url("https://example.com/a.png"), "image_url.url"],
    [url("file:///etc/passwd"), "image_url.url"],
    [url("data:text/html;base64,AAAA"), "image_url.url"],
    [url("data:image/svg+xml;base64,AAAA"), "image_url.url"],
    [url(" data:image/png;base64,AAAA"), "image_url.url"],
    [url(5), "image_url.url"],
    [{ type: "image_url", image_url: "data:image/png;base64,AAAA" }, "image_url"],
    [{ type: "input_audio", input_audio: { data: "AAAA", format: "exe" } }, "input_audio.format"],
    [{ type: "video_url", video_url: { url: "https://example.com/a.mp4" } }, "type"],
    [{ type: "file", file: { file_id: "x" } }, "type"],
  ])("%j", async (part, param) => {
    const sent = server.requests.length;
    const { status, body } = await chat({ messages: [{ role: "user", content: [text, part] }] });
    expect([status, body.error.param]).toEqual([400, `messages.0.content.1.${param}`]);
    expect(server.requests.length).toBe(sent);
  });

  test.each(["system", "assistant", "tool"])("an image in a message with the role %s", async (role) => {
    const { status } = await chat({
      messages: [user, { role, content: [image], ...(role === "tool" && { tool_call_id: "a" }) }],
    });
    expect(status).toBe(400);
  });
});
