import { expect, test } from "bun:test";
import { addressFor, CLIENTS, fillIn } from "./clients";

const chat = { id: "Qwen/Qwen3-8B", context_window: 32_768, capabilities: { tools: true } };
const values = { origin: "https://ai.example.com", key: "gw_$1$&", chat, embedding: { id: "bge-m3" } };

test("every program has a unique id and settings, in the order of the documentation", () => {
  const ids = CLIENTS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect([ids[0], ids.at(-1)]).toEqual(["curl", "mcp"]);
  for (const { text } of CLIENTS) expect(text).toContain("```");
});

test("values replace the examples everywhere, whatever characters they contain", () => {
  const all = CLIENTS.map(({ text }) => fillIn(text, values)).join("\n");
  for (const example of ["127.0.0.1:8080", "smollm2", "minilm", "gw_…", "context_window=4096"])
    expect(all).not.toContain(example);
  const expected = [
    ...["https://ai.example.com/v1", "https://ai.example.com/mcp", "openai/Qwen/Qwen3-8B", '"bge-m3"'],
    ...["GROUNDWIRE_API_KEY=gw_$1$&", "context_window=32768", "is_function_calling_model=True"],
    ...["model_context_window = 32768", "CLAUDE_CODE_AUTO_COMPACT_WINDOW=32768"],
  ];
  for (const value of expected) expect(all).toContain(value);
});

test("a model without tools is described as such", () => {
  const unable = { ...values, chat: { ...chat, capabilities: { tools: false } } };
  expect(fillIn("is_function_calling_model=True", unable)).toBe("is_function_calling_model=False");
});

test("without models and a key, the examples stay", () => {
  const text = "http://127.0.0.1:8080/v1 smollm2-135m-instruct all-minilm-l6-v2 gw_…";
  expect(fillIn(text, { origin: "http://10.0.0.5:8080" })).toBe(text.replace("127.0.0.1", "10.0.0.5"));
});

test.each([
  ["openai-sdk-for-python", "/v1"],
  ["anthropic-sdk-for-python", ""],
  ["claude-code", ""],
  ["codex-cli", "/v1"],
  ["mcp", "/mcp"],
])("the address for %s ends with %j", (id, path) => {
  const client = CLIENTS.find((one) => one.id === id);
  expect(client && addressFor(client, "https://ai.example.com")).toBe(`https://ai.example.com${path}`);
});

test("links to other pages of the documentation are plain text", () => {
  for (const { text } of CLIENTS) expect(text).not.toMatch(/\]\([^)]*\.md/);
});
