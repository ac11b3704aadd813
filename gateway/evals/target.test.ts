import { describe, expect, test } from "bun:test";
import { AppError } from "../../lib/errors";
import { problemOf } from "../../tests/db/temporary";
import { PRINCIPAL } from "../../tests/principal";
import type { Call } from "../call";
import type { ChatAnswer, ChatCompletionRequest } from "../chat/contract";
import type { Principal } from "../principal";
import type { PromptVersion } from "../prompts/contract";
import { DEFAULT_RETRIEVAL } from "../rag/indexes/defaults";
import {
  assertUnchanged,
  type IndexAnswer,
  type IndexQuestion,
  makeOutput,
  questionOf,
  resolveTarget,
  type TargetIndex,
} from "./target";

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
  retries: 0,
  fallback_from: null,
  degraded: [],
  node: "node-1",
  latency: { queue: 0, ttft: 1, total: 2 },
  cache: { status: "miss" },
  request_id: "req_1",
};
const NO_OUTPUT = {
  citations: [],
  finish_reason: null,
  usage: null,
  latency: null,
  cache: null,
  model_revision: null,
  request_id: null,
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

const INDEX: TargetIndex = {
  ...{ id: "idx_1", name: "handbook", version: 2, revision: 7, embeddingModel: "mini", embeddingModelRevision: "e1" },
  retrieval: { ...DEFAULT_RETRIEVAL, top_k: 5 },
};

const setUp = (version?: PromptVersion) => {
  const asked: ChatCompletionRequest[] = [];
  const questions: IndexQuestion[] = [];
  const deps = {
    rag: {
      open: async (_: Principal, index: string) => {
        if (index !== "handbook") throw new AppError("not_found", "No such index.", { param: "index" });
        return INDEX;
      },
      answer: async (_: Call, question: IndexQuestion): Promise<IndexAnswer> => {
        questions.push(question);
        const output = {
          ...NO_OUTPUT,
          text: "30 days [1].",
          contexts: ["30 days of leave."],
          status: "answered" as const,
        };
        return { output, model: "small", index: { version: 2, revision: 7 } };
      },
    },
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
  return { deps, asked, questions };
};

test("a target without settings uses temperature 0 and a maximum length", async () => {
  const { deps, asked } = setUp();
  const resolved = await resolveTarget(deps, PRINCIPAL, undefined, false);
  expect(resolved.target).toEqual({ kind: "chat", max_tokens: 512, temperature: 0 });
  const { output, model } = await makeOutput(deps, call, resolved, { input: "Capital of France?" }, 7);
  expect(asked).toEqual([
    { messages: [{ role: "user", content: "Capital of France?" }], max_tokens: 512, temperature: 0, seed: 7 },
  ]);
  expect([output.text, output.model_revision, output.request_id, model]).toEqual(["Paris.", "r1", "req_1", "small"]);
});

test("a prompt is pinned to its version, and gets the question and contexts but not the references", async () => {
  const { deps, asked } = setUp(prompt("{{contexts}}\n\n{{input}} ({{metadata.source}})"));
  const resolved = await resolveTarget(deps, PRINCIPAL, { kind: "chat", prompt: "short@production" }, false);
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
  const resolved = await resolveTarget(deps, PRINCIPAL, { kind: "chat", prompt: "short" }, false);
  const error = await problemOf(makeOutput(deps, call, resolved, { input: "Who?", references: ["Ada"] }, 0));
  expect([error.kind, error.message]).toEqual(["invalid_request", expect.stringContaining("references")]);
});

describe("a target that lacks something", () => {
  test.each([
    ["an output", { kind: "stored" }, "invalid_request", "sample.output"],
    ["an index", { kind: "rag" }, "invalid_request", "target.index"],
    ["an index that the key may use", { kind: "rag", index: "other" }, "not_found", "index"],
  ] as const)("%s", async (_, target, kind, param) => {
    const error = await problemOf(resolveTarget(setUp().deps, PRINCIPAL, target, false));
    expect([error.kind, error.detail.param]).toEqual([kind, param]);
  });
});

test("an index is pinned by its id with all search settings, and gets the question with the turns before it", async () => {
  const { deps, questions } = setUp(prompt("{{contexts}} {{input}}"));
  const target = { kind: "rag", index: "handbook", prompt: "short", retrieval: { mode: "keyword" } } as const;
  const resolved = await resolveTarget(deps, PRINCIPAL, target, false);
  const retrieval = { ...DEFAULT_RETRIEVAL, top_k: 5, mode: "keyword" } as const;
  const settings = { prompt: "short@3", retrieval, max_tokens: 512, temperature: 0 } as const;
  expect(resolved).toMatchObject({ target: { kind: "rag", index: "idx_1", ...settings }, index: INDEX });
  const input = [
    { role: "system" as const, content: "Be brief." },
    { role: "user" as const, content: "Leave?" },
    { role: "assistant" as const, content: "30 days." },
    { role: "user" as const, content: [{ type: "text" as const, text: "And in 2019?" }] },
  ];
  const { output, index } = await makeOutput(deps, call, resolved, { input, contexts: ["Not this one."] }, 7);
  expect(questions).toEqual([
    {
      index: "idx_1",
      question: "And in 2019?",
      history: [
        { role: "user", content: "Leave?" },
        { role: "assistant", content: "30 days." },
      ],
      ...settings,
      model: undefined,
      seed: 7,
    },
  ]);
  expect([output.contexts, index]).toEqual([["30 days of leave."], { version: 2, revision: 7 }]);
});

test.each([
  ["revision", { revision: 8 }, "from revision 7 (version 2) to 8 (version 2)"],
  ["version", { version: 3 }, "from revision 7 (version 2) to 7 (version 3)"],
])("an index with another %s than the run's is refused", (_, change, text) => {
  const pins = { index_version: 2, index_revision: 7 };
  expect(() => assertUnchanged(pins, INDEX)).not.toThrow();
  expect(() => assertUnchanged(pins, { ...INDEX, ...change })).toThrow(text);
});

describe("an existing output", () => {
  test("is scored unless the request names a target", async () => {
    const { deps } = setUp();
    expect((await resolveTarget(deps, PRINCIPAL, undefined, true)).target).toEqual({ kind: "stored" });
    expect((await resolveTarget(deps, PRINCIPAL, { kind: "stored" }, true)).target).toEqual({ kind: "stored" });
    expect((await resolveTarget(deps, PRINCIPAL, { kind: "chat" }, true)).target.kind).toBe("chat");
  });

  test.each([
    [{ kind: "stored", model: "small" }, "target.model"],
    [{ kind: "chat", index: "manuals" }, "target.index"],
    [{ kind: "rag", index: "manuals", top_p: 0.5 }, "target.top_p"],
  ] as const)("is not scored if a setting would be ignored: %j", async (target, param) => {
    const error = await problemOf(resolveTarget(setUp().deps, PRINCIPAL, target, true));
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
