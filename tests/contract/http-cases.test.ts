import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { type Stack, startStack } from "./stack";

/** Requests that were answered wrongly once: those about headers and methods. */
const FILE = new URL("../../../shared/data/cases/requests.jsonl", import.meta.url).pathname;

interface Case {
  kind: string;
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body_is?: string;
  right: string | number;
}
const cases = existsSync(FILE)
  ? readFileSync(FILE, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Case)
      .filter(({ headers }) => headers !== undefined)
  : [];

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

test.skipIf(cases.length === 0)("every case about headers and methods (needs ../shared/data/cases)", async () => {
  const valid = JSON.stringify({ messages: [{ role: "user", content: "Hello" }], max_tokens: 1 });
  for (const { kind, method = "POST", path, headers = {}, body_is, right } of cases) {
    const response = await fetch(stack.url + path, {
      method,
      headers: {
        ...(method !== "OPTIONS" && { authorization: `Bearer ${stack.adminKey}` }),
        "content-type": "application/json",
        ...headers,
      },
      body: method === "OPTIONS" ? undefined : body_is?.startsWith("gzip") ? gzipSync(valid) : valid,
    });
    expect([kind, String(right).includes(String(response.status))]).toEqual([kind, true]);
    if (method === "OPTIONS") expect(response.headers.get("access-control-allow-origin")).toBeNull();
  }
});
