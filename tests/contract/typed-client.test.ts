import { afterAll, expect, mock, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { startStack } from "./stack";

/** Folder inside the project, so that the compiler finds the packages. */
const folder = await mkdtemp(join(import.meta.dir, "typed-client-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

const PROGRAM = `
import type { components, operations, paths } from "./api";

type Json<T> = T extends { content: { "application/json": infer Body } } ? Body : never;

export const question: components["schemas"]["RagQuery"] = { index: "handbook", question: "How many days?" };
export const chat: Json<operations["postChat"]["requestBody"]> = {
  messages: [{ role: "user", content: "Hello" }],
  response_format: { type: "json_object" },
};
export const read = (answer: Json<paths["/v1/chat"]["post"]["responses"][200]>): [string, number, "hit" | "miss" | "joined" | "bypass"] => [
  answer.message.content,
  answer.latency.ttft,
  answer.cache.status,
];
export const refused = (error: components["schemas"]["ErrorEnvelope"]): boolean => error.error.code === "rate_limited";
export const next = (page: components["schemas"]["KeyPage"]): string | null => page.next_cursor;

// @ts-expect-error an unknown role
export const wrong: components["schemas"]["CreateKey"] = { name: "n", role: "king" };
// @ts-expect-error a question without an index
export const missing: components["schemas"]["RagQuery"] = { question: "How many days?" };
`;

test("a generated client type-checks, and rejects what the API rejects", async () => {
  const stack = await startStack();
  const document = await (await stack.call("GET", "/openapi.json", { key: null })).json().finally(() => stack.close());

  // openapi-typescript 7.13 needs the compiler API of TypeScript 5, which TypeScript 7 no longer has.
  mock.module("typescript", () => import("typescript-5"));
  const { default: openapiTS, astToString } = await import("openapi-typescript");
  await Bun.write(
    join(folder, "api.ts"),
    astToString(await openapiTS(JSON.stringify(document), { defaultNonNullable: false })),
  );
  await Bun.write(join(folder, "program.ts"), PROGRAM);

  const options = ["--noEmit", "--strict", "--module", "Preserve", "--moduleResolution", "bundler", "--types", ""];
  const compiler = Bun.spawn(["bun", "x", "tsc", "--ignoreConfig", ...options, join(folder, "program.ts")], {
    stdout: "pipe",
  });
  expect(await new Response(compiler.stdout).text()).toBe("");
  expect(await compiler.exited).toBe(0);
}, 60_000);
