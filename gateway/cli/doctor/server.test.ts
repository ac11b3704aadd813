import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import type { Config } from "../../../lib/config";
import { defaultConfig } from "../../../lib/settings";
import { ScriptedServer } from "../../../tests/scripted-server";
import type { Result } from "./check";
import { serverResults } from "./server";

const server = new ScriptedServer("qwen");
afterAll(() => server.close());

type Json = Record<string, unknown>;
const CALL = { id: "call_1", name: "get_weather", arguments: '{"city":"Rome"}' };

/** Answers like a server that supports every feature. */
const answerAll = ({ tool_choice, response_format, n = 1, reasoning_effort }: Json) => {
  if (tool_choice === "required") return [{ calls: [CALL], finish_reason: "tool_calls" }];
  const content = response_format ? '{"is_white": true}' : "Yes.";
  const reasoning = reasoning_effort === undefined ? undefined : "Snow reflects all light.";
  return Array(n as number).fill({ content, reasoning, finish_reason: "stop" });
};
beforeEach(() => {
  server.requests.length = 0;
  server.answer = answerAll;
  server.refuse = () => undefined;
});

const check = async (node: Partial<Config["node"]> = {}, isForced = false) => {
  const config = defaultConfig();
  const settings = { ...config.node, engine: "openai" as const, engineUrl: server.url, ...node };
  const results = await Array.fromAsync(
    serverResults({ config: { ...config, node: settings }, origins: new Map() }, isForced),
  );
  return { results, of: (name: string) => results.find((each) => each.name === `server-${name}`) };
};
const EVERYTHING = { engineCapabilities: ["vision", "audio_input", "reasoning"] };
const statuses = (results: Result[]) => results.map(({ name, status }) => `${name}: ${status}`);

test("a server that can do what the node offers passes every check", async () => {
  const { results } = await check(EVERYTHING);
  const names = ["tools", "json-schema", "logprobs", "choices", "vision", "audio-input", "reasoning"];
  expect(statuses(results)).toEqual(["server: passed", ...names.map((name) => `server-${name}: passed`)]);
  expect(results[0]?.message).toEndWith("answers with qwen");
});

test("the checks send eleven requests for at most 521 tokens", async () => {
  await check(EVERYTHING);
  const tokens = server.requests.map(({ max_tokens, n = 1 }) => Number(max_tokens) * Number(n));
  expect([tokens.length, tokens.reduce((sum, each) => sum + each, 0)]).toEqual([11, 521]);
});

describe("a server that can do more than the node offers", () => {
  test("is a warning that names the setting", async () => {
    const { of } = await check({ engineServer: "other" });
    expect(of("tools")).toMatchObject({
      status: "warning",
      message: "works, but the node doesn't offer it",
      remedy: "Add tools to GROUNDWIRE_NODE_ENGINE_CAPABILITIES",
    });
    expect(of("vision")).toMatchObject({ remedy: "Add vision to GROUNDWIRE_NODE_ENGINE_CAPABILITIES" });
    expect(of("choices")).toMatchObject({ remedy: "Set GROUNDWIRE_NODE_ENGINE_MAX_CHOICES, for example to 8" });
  });

  test("passes if a setting switches it off", async () => {
    const { of } = await check({ engineCapabilities: ["-tools", "-vision"], engineMaxChoices: 1 });
    for (const name of ["tools", "vision", "choices"]) {
      expect(of(name)).toMatchObject({ status: "passed", message: "works, but a setting switches it off" });
    }
  });
});

describe("a server that can't do what the node offers", () => {
  test.each<[name: string, refuse: (body: Json) => boolean, reason: string, remedy: string]>([
    ["tools", ({ tool_choice }) => tool_choice === "auto", "refused", "Add -tools to"],
    ["json-schema", ({ response_format }) => response_format !== undefined, "refused", "Add -json_schema to"],
    ["logprobs", ({ logprobs }) => logprobs === true, "refused", "Add -logprobs to"],
    ["choices", ({ n }) => n === 2, "refused", "Set GROUNDWIRE_NODE_ENGINE_MAX_CHOICES=1"],
    ["vision", (body) => JSON.stringify(body).includes("image_url"), "refused", "Remove vision from"],
    ["reasoning", ({ reasoning_effort }) => reasoning_effort !== undefined, "refused", "Remove reasoning from"],
  ])("is a warning if it refuses requests: %s", async (name, refuses, reason, remedy) => {
    server.refuse = (body) => (refuses(body) ? "refused" : undefined);
    const { of } = await check(EVERYTHING);
    expect(of(name)).toMatchObject({
      status: "warning",
      message: `the node offers it, but it doesn't work: ${reason}`,
      remedy: expect.stringContaining(remedy),
    });
  });

  test("is a warning if it ignores the fields", async () => {
    server.answer = () => [{ content: "<think>Hm.</think>Yes.", finish_reason: "stop" }];
    const { of } = await check(EVERYTHING);
    const messages = ["tools", "json-schema", "choices", "reasoning"].map((name) => of(name)?.message);
    expect(messages).toEqual([
      "the node offers it, but it doesn't work: the answer has no call, although tool_choice was required",
      "the node offers it, but it doesn't work: the answer doesn't match the schema",
      "the node offers it, but it doesn't work: with n: 2, the server returned 1 answer",
      "the node offers it, but it doesn't work: its reasoning is part of the answer's text; the server needs a reasoning parser",
    ]);
  });

  test("passes if the node doesn't offer it", async () => {
    server.refuse = (body) => (JSON.stringify(body).includes("input_audio") ? "no audio" : undefined);
    expect((await check()).of("audio-input")).toMatchObject({ status: "passed" });
  });
});

test("an answer that is cut off shows nothing", async () => {
  server.answer = () => [{ content: '{"is_wh', finish_reason: "length" }];
  const { of } = await check();
  for (const name of ["tools", "json-schema"]) {
    expect(of(name)).toMatchObject({ status: "warning", message: expect.stringContaining("within 128 tokens") });
  }
});

test("a server that doesn't answer fails, and nothing else is checked", async () => {
  server.refuse = () => "wrong key";
  expect((await check()).results).toMatchObject([{ name: "server", status: "failed", remedy: expect.any(String) }]);
  for (const engineUrl of ["http://127.0.0.1:1", "http://no.invalid"]) {
    expect(statuses((await check({ engineUrl })).results)).toEqual(["server: failed"]);
  }
});

test("a server outside this network gets nothing without --probe", async () => {
  const urls = ["https://8.8.8.8/v1", "http://[2001:4860:4860::8888]"];
  for (const engineUrl of urls) {
    const { results } = await check({ engineUrl });
    expect(results).toMatchObject([{ name: "server", status: "passed", message: expect.stringContaining("--probe") }]);
  }
  expect(server.requests).toEqual([]);
});

test.each(["llama", "synthetic"] as const)("nothing is checked for the engine %s", async (engine) => {
  expect((await check({ engine })).results).toEqual([]);
});
