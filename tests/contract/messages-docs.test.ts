import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MODEL, startCapableStack } from "./capable-stack";

/* Runs the examples of docs/messages.md with the address, key and model of a running stack. */

const PAGE = await Bun.file(join(import.meta.dir, "../../docs/messages.md")).text();
const block = (start: string): string => {
  const [, found] = new RegExp(`\`\`\`${start}.*?\`\`\``, "s").exec(PAGE)?.[0].match(/^```\w+\n(.*)```$/s) ?? [];
  if (found === undefined) throw new Error(`docs/messages.md has no example that starts with ${start}.`);
  return found;
};

let capable: Awaited<ReturnType<typeof startCapableStack>>;
let key: string;
beforeAll(async () => {
  capable = await startCapableStack();
  key = await capable.stack.keyOf("member");
});
afterAll(() => capable.close());

const here = (text: string): string =>
  text.replaceAll("http://127.0.0.1:8080", capable.stack.url).replaceAll("qwen3-coder-30b", MODEL);
const run = async (command: string[]): Promise<string> => {
  const env = { ...process.env, GROUNDWIRE_API_KEY: key };
  return await Bun.spawn(command, { env, stdout: "pipe", stderr: "inherit" }).stdout.text();
};

test("the TypeScript example prints the answer", async () => {
  const folder = await mkdtemp(join(tmpdir(), "groundwire-messages-docs-"));
  try {
    const sdk = "@anthropic-ai/sdk";
    await Bun.write(join(folder, "example.ts"), here(block("ts")).replace(sdk, import.meta.resolve(sdk)));
    expect(await run([process.execPath, join(folder, "example.ts")])).toContain("Hello world");
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("the curl example prints the answer", async () => {
  expect(await run(["sh", "-c", here(block("sh\ncurl")).replace("curl ", "curl -sS ")])).toContain('"Hello world"');
});

test("Claude Code's settings have the gateway's address and the variable with the key", () => {
  const settings = block("sh\nexport").matchAll(/^export (\w+)=(.+)$/gm);
  expect(Object.fromEntries([...settings].map(([, name, value]) => [name, value]))).toMatchObject({
    ...{ ANTHROPIC_BASE_URL: "http://127.0.0.1:8080", ANTHROPIC_AUTH_TOKEN: "$GROUNDWIRE_API_KEY" },
  });
});
