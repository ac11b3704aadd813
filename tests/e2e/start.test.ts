import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../free-port";
import { ServerProcess, statusOf } from "../harness";
import { until } from "../until";

const ROOT = join(import.meta.dir, "../..");

/** The start command. */
let folder: string;
let port: number;
let running: ServerProcess[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "groundwire-start-"));
  port = await freePort();
  running = [];
});
afterEach(async () => {
  for (const process of running) {
    process.signal("SIGTERM");
    await process.exited;
  }
  rmSync(folder, { recursive: true });
});

const start = (
  env: Record<string, string> = {},
  command: string | string[] = "gateway/cli/start.ts",
): ServerProcess => {
  const settings = { GROUNDWIRE_PORT: String(port), GROUNDWIRE_DATA_DIR: join(folder, "data"), ...env };
  const process = new ServerProcess(command, settings, typeof command === "string" ? folder : ROOT);
  running.push(process);
  return process;
};
const url = () => `http://127.0.0.1:${port}`;
const chat = (key: string, more: Record<string, unknown> = {}) =>
  fetch(`${url()}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: "Name three colours." }], max_tokens: 8, ...more }),
  });

/** All outgoing connections lead to a closed port. */
const NO_NETWORK = {
  HTTPS_PROXY: "http://127.0.0.1:1",
  HTTP_PROXY: "http://127.0.0.1:1",
  NO_PROXY: "127.0.0.1",
  HF_ENDPOINT: "http://127.0.0.1:1",
  PIP_INDEX_URL: "http://127.0.0.1:1",
};

test("the first start creates an admin key without logging it; the second creates none and needs no network", async () => {
  const first = start();
  await first.ready(`${url()}/readyz`);
  await until("the summary is printed", () => first.output.includes("Groundwire is ready"));
  const keyFile = join(folder, "data", "admin-key");
  const key = readFileSync(keyFile, "utf8").trim();
  expect(statSync(keyFile).mode & 0o777).toBe(0o600);
  expect(first.output).toContain(url());
  expect(first.output).toContain(keyFile);
  expect(first.output).not.toContain(key);
  expect((await chat(key)).status).toBe(200);

  first.signal("SIGTERM");
  expect(await first.exited).toBe(0);
  rmSync(keyFile);

  const second = start(NO_NETWORK);
  await second.ready(`${url()}/readyz`);
  await until("the summary is printed", () => second.output.includes("Groundwire is ready"));
  expect(existsSync(keyFile)).toBe(false);
  expect(second.output).not.toContain("Admin key");
  expect((await chat(key)).status).toBe(200);
});

test("after SIGTERM, a running answer finishes and then every process ends", async () => {
  const key = "start-admin-key-0123456789abcdefghij";
  const process = start({ GROUNDWIRE_ADMIN_KEY: key });
  await process.ready(`${url()}/readyz`);
  const response = await chat(key, { max_tokens: 150, temperature: 1, stream: true });
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = decoder.decode((await reader?.read())?.value);

  process.signal("SIGTERM");
  await until("/readyz no longer returns 200", async () => (await statusOf(`${url()}/readyz`)) !== 200);
  for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read()) {
    text += decoder.decode(piece.value);
  }
  expect(text).toEndWith("data: [DONE]\n\n");
  expect(await process.exited).toBe(0);
  expect(await statusOf(`${url()}/healthz`)).toBeUndefined();
});

test("a configured port that is in use is reported in one sentence before anything starts", async () => {
  const listener = Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } });
  const process = start();
  expect(await process.exited).toBe(64);
  listener.stop(true);
  expect(process.output).toContain(`GROUNDWIRE_PORT is ${port}, and another program uses it.`);
});

test("killing the start command ends all of its processes", async () => {
  const process = start({ GROUNDWIRE_NODE_ENGINE: "synthetic" });
  await process.ready(`${url()}/readyz`);
  process.signal("SIGKILL");
  await until("the gateway has ended", async () => (await statusOf(`${url()}/healthz`)) === undefined, 5000);
});

test.each(["SIGTERM", "SIGINT"] as const)(
  "the README's command needs no network once installed, and ends after %s",
  async (signal) => {
    const process = start({ GROUNDWIRE_NODE_ENGINE: "synthetic", ...NO_NETWORK }, ["run", "start"]);
    await process.ready(`${url()}/readyz`);
    process.signal(signal);
    await process.exited;
    await until("the gateway has ended", async () => (await statusOf(`${url()}/healthz`)) === undefined, 10_000);
  },
);
