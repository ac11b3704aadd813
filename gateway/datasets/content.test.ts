import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  contentHash,
  isKeyOfContent,
  keyOfContent,
  revisionHash,
  type SampleContent,
  toContent,
  toNewSample,
} from "./content";

const paris: SampleContent = {
  input: "What is the capital of France?",
  references: ["Paris"],
  contexts: ["Paris is the capital of France."],
  output: "Paris",
  group: "france",
  tags: ["capital", "europe"],
  metadata: { level: 1, checked: true },
  expected_tool_calls: null,
  tools: null,
  tool_choice: null,
};

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

test("any program can compute the hash of a sample: it is the sha256 of canonical JSON without the empty fields", () => {
  const json =
    '{"contexts":["Paris is the capital of France."],"group":"france","input":"What is the capital of France?",' +
    '"metadata":{"checked":true,"level":1},"output":"Paris","references":["Paris"],"tags":["capital","europe"]}';
  expect(contentHash(paris)).toBe(sha256(json));
  expect(contentHash(toContent({ input: "Été 😀\n" }))).toBe(sha256('{"input":"Été 😀\\n"}'));
});

test("the order of tags and of metadata names does not change the hash", () => {
  const { metadata, ...rest } = paris;
  const reordered = { metadata: { checked: true, level: 1 }, ...rest, tags: ["europe", "capital"] };
  expect(metadata).toEqual(reordered.metadata);
  expect(contentHash(reordered)).toBe(contentHash(paris));
});

const changes: [string, Partial<SampleContent>][] = [
  ["input", { input: "What is the capital of france?" }],
  ["input as messages", { input: [{ role: "user", content: "What is the capital of France?" }] }],
  ["references", { references: ["Paris", "paris"] }],
  ["no references", { references: [] }],
  ["contexts", { contexts: [] }],
  ["an empty output", { output: "" }],
  ["no output", { output: null }],
  ["group", { group: null }],
  ["tags", { tags: ["capital"] }],
  ["expected function calls", { expected_tool_calls: [] }],
  ["tools", { tools: [{ type: "function", function: { name: "search" } }] }],
  ["a tool choice", { tool_choice: "required" }],
  ["a metadata value of a different type", { metadata: { level: "1", checked: true } }],
];
test.each(changes)("a sample with %s changed has a different hash", (_, change) => {
  expect(contentHash({ ...paris, ...change })).not.toBe(contentHash(paris));
});

test("converting a sample to an upload and back keeps its content", () => {
  expect(toContent(toNewSample(paris))).toEqual(paris);
  const bare = toContent({ input: "x" });
  expect(toNewSample({ ...bare, key: "k" })).toEqual({ key: "k", input: "x" });
  expect(toContent(toNewSample(bare))).toEqual(bare);
});

test("the hash of a revision depends on every key and its content", async () => {
  const a = { key: "a", hash: contentHash(paris) };
  const b = { key: "b", hash: contentHash({ ...paris, output: null }) };
  const whole = await revisionHash([a, b]);
  expect(whole).toBe(sha256(`"a" ${a.hash}\n"b" ${b.hash}\n`));
  const others = [[a], [b], [{ ...a, key: b.key }], [a, { ...b, hash: a.hash }], [{ ...a, key: "a\n" }, b]];
  for (const members of others) expect(await revisionHash(members)).not.toBe(whole);
});

test("a key derived from the content has 32 characters and is recognised", () => {
  const key = keyOfContent(contentHash(paris));
  expect([key.length, isKeyOfContent(key), isKeyOfContent("paris")]).toEqual([32, true, false]);
});
