import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { type Stack, startStack } from "./stack";

/* Runs the settings and examples of docs/mcp.md with the address and key of a running stack. */

const PAGE = await Bun.file(join(import.meta.dir, "../../docs/mcp.md")).text();
const blocks = (language: string): string[] =>
  [...PAGE.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "gs"))].map(([, block = ""]) => block);

let stack: Stack;
let key: string;
beforeAll(async () => {
  stack = await startStack({}, { hasWorker: false });
  key = await stack.keyOf("member");
  await stack.call("POST", "/v1/rag/indexes", { body: { name: "handbook", description: "Rules" } });
});
afterAll(() => stack.close());

const here = (text: string): string => text.replaceAll("http://127.0.0.1:8080", stack.url);
const listedNames = (result: { structuredContent?: unknown }): string[] =>
  (result.structuredContent as { data: { name: string }[] }).data.map(({ name }) => name);

interface HttpServer {
  type?: string;
  url: string;
  headers: Record<string, string>;
}
type Settings = Record<"mcpServers" | "servers", { groundwire: HttpServer } | undefined>;

test("the JSON settings of each client connect to the gateway", async () => {
  const settings = blocks("json").map((block): Settings => JSON.parse(here(block)));
  expect(settings).toHaveLength(3);
  for (const { mcpServers, servers } of settings) {
    const server = (mcpServers ?? servers)?.groundwire;
    if (server === undefined) throw new Error("The settings name no server.");
    const { type = "http", url, headers } = server;
    expect(type).toBe("http");
    const filled = Object.entries(headers).map(([name, value]) => [name, value.replace(/\$\{[\w:-]+\}/, key)]);
    const client = new Client({ name: "a test", version: "1" });
    const requestInit = { headers: Object.fromEntries(filled) };
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
    expect(listedNames(await client.callTool({ name: "list_indexes", arguments: {} }))).toEqual(["handbook"]);
    await client.close();
  }
});

test("the TOML settings have the gateway's address and the key's environment variable", () => {
  expect(blocks("toml").map((block) => Bun.TOML.parse(block))).toEqual([
    { mcp_servers: { groundwire: { url: "http://127.0.0.1:8080/mcp", bearer_token_env_var: "GROUNDWIRE_API_KEY" } } },
  ]);
});

test("the TypeScript example lists the tools and the indexes", async () => {
  const folder = await mkdtemp(join(tmpdir(), "groundwire-mcp-docs-"));
  try {
    const [example = ""] = blocks("ts");
    const sdk = "@modelcontextprotocol/client";
    const print = "\nconsole.log(JSON.stringify([tools.length, indexes]));\nawait client.close();\n";
    await Bun.write(join(folder, "example.ts"), here(example).replace(sdk, import.meta.resolve(sdk)) + print);
    const child = Bun.spawn([process.execPath, join(folder, "example.ts")], {
      ...{ env: { ...process.env, GROUNDWIRE_API_KEY: key }, stdout: "pipe", stderr: "inherit" },
    });
    const [count, indexes] = JSON.parse(await child.stdout.text());
    expect([count, listedNames(indexes)]).toEqual([3, ["handbook"]]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("the curl example lists the indexes", async () => {
  const command = blocks("sh").find((block) => block.startsWith("curl ")) ?? "";
  const child = Bun.spawn(["sh", "-c", here(command)], {
    ...{ env: { ...process.env, GROUNDWIRE_API_KEY: key }, stdout: "pipe", stderr: "ignore" },
  });
  const text = await child.stdout.text();
  expect(text).toContain('"name":"handbook"');
});
