import { describe, expect, test } from "bun:test";
import { problemOf } from "../../tests/db/temporary";
import { PRINCIPAL } from "../../tests/principal";
import type { Call } from "../call";
import type { ChatAnswer, ChatCompletionRequest } from "../chat/contract";
import type { PromptVersion } from "../prompts/contract";
import { makeOutput, questionOf, resolveTarget } from "./target";

const call: Call = {
  principal: PRINCIPAL,
  requestId: "req_1",
  signal: new AbortController().signal,
  priority: "interactive",
  directives: { noCache: false, noStore: false, onlyIfCached: false },
  receivedAt: 0,
};
const ANSWER: ChatAnswer = {
  id: "chatcmpl-1",
  model: "small",
  model_revision: "r1",
  message: { role: "assistant", content: "Paris." },
  finish_reason: "stop",
  usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
  template_version: null,
  node: "node-1",
  latency: { queue: 0, ttft: 1, total: 2 },
  cache: { status: "miss" },
  request_id: "req_1",
};
const prompt = (content: string): PromptVersion => ({
  name: "short",
  version: 3,
  hash: "h",
  messages: [
    { role: "system", content: "Be brief." },
    { role: "user", content },
  ],
  variables: [],
  labels: [],
  note: "",
  used_by_runs: 0,
  created_by: "key",
  created_at: "2026-11-26T00:00:00.000Z",
});

const setUp = (version?: PromptVersion) => {
  const asked: ChatCompletionRequest[] = [];
  const deps = {
    chat: {
      answer: async (_: Call, body: ChatCompletionRequest) => {
        asked.push(body);
        return ANSWER;
      },
    },
    prompts: {
      resolve: async () => {
        if (version) return version;
        throw new Error("Unexpected request for a prompt.");
      },
    },
  };
  return { deps, asked };
};

test("a target without settings uses temperature 0 and a maximum length", async () => {
  const { deps, asked } = setUp();
  const resolved = await resolveTarget(deps, undefined, false);
  expect(resolved.target).toEqual({ kind: "chat", max_tokens: 512, temperature: 0 });
  const { output, model } = await makeOutput(deps, call, resolved, { input: "Capital of France?" }, 7);
  expect(asked).toEqual([
    { messages: [{ role: "user", content: "Capital of France?" }], max_tokens: 512, temperature: 0, seed: 7 },
  ]);
  expect([output.text, output.model_revision, output.request_id, model]).toEqual(["Paris.", "r1", "req_1", "small"]);
});

test("a prompt is pinned to its version, and gets the question and contexts but not the references", async () => {
  const { deps, asked } = setUp(prompt("{{contexts}}\n\n{{input}} ({{metadata.source}})"));
  const resolved = await resolveTarget(deps, { kind: "chat", prompt: "short@production" }, false);
  expect(resolved.target.prompt).toBe("short@3");
  const sample = { input: "Who?", references: ["Ada"], contexts: ["One.", "Two."], metadata: { source: "book" } };
  await makeOutput(deps, call, resolved, sample, 0);
  expect(asked[0]?.messages).toEqual([
    { role: "system", content: "Be brief." },
    { role: "user", content: "[1] One.\n\n[2] Two.\n\nWho? (book)" },
  ]);
});

test("a prompt with a reference is rejected, because it would give the answer away", async () => {
  const { deps } = setUp(prompt("{{references}}"));
  const resolved = await resolveTarget(deps, { kind: "chat", prompt: "short" }, false);
  const error = await problemOf(makeOutput(deps, call, resolved, { input: "Who?", references: ["Ada"] }, 0));
  expect([error.kind, error.message]).toEqual(["invalid_request", expect.stringContaining("references")]);
});

describe("unsupported target kinds", () => {
  test.each([
    ["rag", "not_implemented"],
    ["stored", "invalid_request"],
  ] as const)("%s", async (kind, expected) => {
    expect((await problemOf(resolveTarget(setUp().deps, { kind }, false))).kind).toBe(expected);
  });
});

describe("an existing output", () => {
  test("is scored unless the request names a target", async () => {
    const { deps } = setUp();
    expect((await resolveTarget(deps, undefined, true)).target).toEqual({ kind: "stored" });
    expect((await resolveTarget(deps, { kind: "stored" }, true)).target).toEqual({ kind: "stored" });
    expect((await resolveTarget(deps, { kind: "chat" }, true)).target.kind).toBe("chat");
  });

  test.each([
    [{ kind: "stored", model: "small" }, "target.model"],
    [{ kind: "chat", index: "manuals" }, "target.index"],
  ] as const)("is not scored if a setting would be ignored: %j", async (target, param) => {
    const error = await problemOf(resolveTarget(setUp().deps, target, true));
    expect([error.kind, error.detail.param]).toEqual(["invalid_request", param]);
  });
});

test("the question of a chat is the user's last message", () => {
  expect(questionOf("One?")).toBe("One?");
  const chat = [
    { role: "user" as const, content: "One?" },
    { role: "assistant" as const, content: "Yes." },
    { role: "user" as const, content: [{ type: "text" as const, text: "Two?" }] },
  ];
  expect(questionOf(chat)).toBe("Two?");
  expect(questionOf([{ role: "system", content: "Be brief." }])).toBeNull();
});
