import { describe, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { AppError } from "../lib/errors";
import { freePort } from "../tests/free-port";
import { chatBody, events, firstBytes, TestClient, testConfig, testNode } from "../tests/test-node";
import { until } from "../tests/until";
import type { NodeEngine } from "./engine/engine";
import { createSyntheticEngine } from "./engine/synthetic";

const failure = (text: string) => JSON.parse(text).error;

/** The synthetic engine, with a load that the test controls. */
const slowToLoad = () => {
  const load = Promise.withResolvers<void>();
  let progress: (fraction: number) => void = () => {};
  const engine: NodeEngine = {
    ...createSyntheticEngine(testConfig()),
    load: (onProgress) => {
      progress = onProgress;
      return load.promise;
    },
  };
  return {
    engines: { engine, close: () => engine.close() },
    report: (fraction: number) => progress(fraction),
    finish: load.resolve,
    fail: load.reject,
  };
};

describe("a loading node", () => {
  test("reports its progress, rejects requests with 503 until it is ready, and becomes ready", async () => {
    const { engines, report, finish } = slowToLoad();
    await using node = await testNode({}, { engines });
    using client = new TestClient(node.url);
    report(0.4);
    const probe = await client.request("/readyz");
    expect([probe.status, JSON.parse(probe.text)]).toMatchObject([
      503,
      { state: "loading", progress: 0.4, models: [] },
    ]);
    const rejected = await client.chat("Hi");
    expect([rejected.status, failure(rejected.text).code, rejected.headers["retry-after"]]).toEqual([
      503,
      "model_loading",
      "1",
    ]);
    expect((await client.request("/healthz")).status).toBe(200);
    finish();
    await node.ready;
    expect(await client.readiness()).toMatchObject({
      state: "ready",
      synthetic: true,
      slots: { total: 8, running: 0 },
    });
    expect((await client.chat("Hi")).status).toBe(200);
  });

  test("reports why loading fails", async () => {
    const { engines, fail } = slowToLoad();
    await using node = await testNode({}, { engines });
    fail(new AppError("unavailable", "No disk space for the model."));
    await expect(node.ready).rejects.toThrow("No disk space for the model.");
  });
});

describe("a node whose engine hangs", () => {
  test("reports itself as stuck, still accepts requests, and recovers at the next token", async () => {
    await using node = await testNode({ node: { stuckMs: 100 } });
    using client = new TestClient(node.url);
    const hung = client.open("/v1/chat/completions", { body: chatBody("!hang") });
    await until("the node is stuck", async () => (await client.request("/readyz")).status === 503);
    const stuck = await client.readiness();
    expect(stuck).toMatchObject({ state: "stuck", slots: { running: 1 } });
    expect(stuck.last_token_ms).toBeGreaterThanOrEqual(100);
    expect((await client.chat("Hi")).status).toBe(200);
    hung.destroy();
    await until("the node is ready", async () => (await client.readiness()).state === "ready");
  });

  test("is not stuck while it waits for its client to read", async () => {
    await using node = await testNode({
      node: { stuckMs: 100, contextTokens: 1_000_000 },
      synthetic: { tokens: 100_000 },
    });
    using client = new TestClient(node.url);
    using sleeper = new TestClient(node.url);
    sleeper.open("/v1/chat/completions", { body: chatBody("Hi", { stream: true }) }).pause();
    await until("one runs and no token is due", async () => {
      const { slots, last_token_ms } = await client.readiness();
      return slots.running === 1 && last_token_ms === undefined;
    });
    expect((await client.readiness()).state).toBe("ready");
  });
});

describe("a node whose engine failed permanently", () => {
  test("reports the reason, rejects new requests and ends running ones", async () => {
    await using node = await testNode({ synthetic: { tokenMs: 5, tokens: 10_000 }, node: { contextTokens: 20_000 } });
    using client = new TestClient(node.url);
    const running = client.open("/v1/chat/completions", { body: chatBody("Hi", { stream: true }) });
    const text = new Response(Readable.toWeb(running)).text();
    await firstBytes(running);
    expect(events((await client.chat("!break after 1", { stream: true })).text).at(-1)).toMatchObject({
      error: { code: "unavailable" },
    });
    expect(events(await text).at(-1)).toMatchObject({ error: { code: "unavailable" } });
    const probe = await client.request("/readyz");
    expect([probe.status, JSON.parse(probe.text)]).toMatchObject([
      503,
      { state: "failed", reason: expect.stringContaining("Restart the GPU node"), slots: { running: 0 } },
    ]);
    const rejected = await client.chat("Hi");
    expect([rejected.status, failure(rejected.text).code]).toEqual([503, "unavailable"]);
    expect((await client.request("/metrics")).text).toContain('groundwire_node_state{state="failed"} 1');
  });
});

describe("a node that drains", () => {
  test("sends GOAWAY in two steps, finishes running and queued requests, and accepts no new ones", async () => {
    await using node = await testNode({ node: { slots: 1 }, synthetic: { tokenMs: 5, tokens: 40 } });
    using client = new TestClient(node.url);
    using other = new TestClient(node.url);
    await other.readiness();
    const goaways: number[] = [];
    client.session.on("goaway", (_code, lastStreamId) => goaways.push(lastStreamId));
    const [running, waiting] = [client.chat("Hi", { stream: true }), client.chat("Hi", { stream: true })];
    await until("one waits", async () => (await other.readiness()).queue.depth === 1);
    const draining = node.close(10_000);
    const replies = await Promise.all([running, waiting]);
    await draining;
    expect(replies.every(({ text }) => text.endsWith("data: [DONE]\n\n"))).toBe(true);
    expect(goaways[0]).toBe(2 ** 31 - 1);
    using late = new TestClient(node.url);
    expect((await late.chat("Hi")).status).toBe(0);
  });

  test("ends requests that outlast the drain time with an error frame", async () => {
    await using node = await testNode();
    using client = new TestClient(node.url);
    const hung = client.chat("!hang after 1", { stream: true });
    await until("one slot is taken", async () => (await client.readiness()).slots.running === 1);
    await node.close(20);
    expect(events((await hung).text).at(-1)).toMatchObject({ error: { code: "unavailable" } });
  });
});

describe("the process", () => {
  const start = (settings: Record<string, string>) =>
    Bun.spawn(["bun", "gpu-node/main.ts"], {
      env: { ...process.env, GROUNDWIRE_NODE_ENGINE: "synthetic", GROUNDWIRE_LOG_LEVEL: "silent", ...settings },
      stdout: "pipe",
      stderr: "pipe",
    });
  /** A node that listens, and its address. */
  const listening = async (settings: Record<string, string>) => {
    const child = start({ GROUNDWIRE_NODE_PORT: `${await freePort()}`, ...settings });
    const line = new TextDecoder().decode((await child.stdout.getReader().read()).value);
    return { child, url: /^GPU node: (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(line)?.[1] ?? "" };
  };

  test("prints its address on one line, and on SIGTERM finishes running requests and exits 0", async () => {
    const { child, url } = await listening({ GROUNDWIRE_SYNTHETIC_TOKEN_MS: "10" });
    using client = new TestClient(url);
    await until("the node is ready", async () => (await client.readiness()).state === "ready");
    const stream = client.open("/v1/chat/completions", { body: chatBody("Hi", { stream: true }) });
    let text = "";
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    await firstBytes(stream);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    await until("the stream is closed", () => stream.closed);
    expect(text).toEndWith("data: [DONE]\n\n");
  });

  test("exits immediately on a second signal", async () => {
    const { child, url } = await listening({ GROUNDWIRE_NODE_DRAIN_MS: "60000" });
    using client = new TestClient(url);
    await until("the node is ready", async () => (await client.readiness()).state === "ready");
    await firstBytes(client.open("/v1/chat/completions", { body: chatBody("!hang after 1", { stream: true }) }));
    const goaway = new Promise((resolve) => client.session.once("goaway", resolve));
    child.kill("SIGTERM");
    await goaway;
    child.kill("SIGINT");
    expect(await child.exited).toBe(1);
  });

  test("says why it can't start, and exits with 64 for wrong settings and 1 for a port in use", async () => {
    const wrong = start({ GROUNDWIRE_NODE_HOST: "0.0.0.0" });
    expect(await wrong.exited).toBe(64);
    expect(await new Response(wrong.stderr).text()).toContain("GROUNDWIRE_NODE_TOKEN");

    await using other = await testNode();
    const late = start({ GROUNDWIRE_NODE_PORT: `${other.port}` });
    expect(await late.exited).toBe(1);
    expect(await new Response(late.stderr).text()).toContain("another program uses this port");
  });

  test("has written its whole log when it ends", async () => {
    const model = join(tmpdir(), `groundwire-${crypto.randomUUID()}.gguf`);
    await Bun.write(model, "no model");
    try {
      const child = start({
        GROUNDWIRE_NODE_ENGINE: "llama",
        GROUNDWIRE_NODE_PORT: `${await freePort()}`,
        GROUNDWIRE_CHAT_MODEL: model,
        GROUNDWIRE_LOG_LEVEL: "info",
      });
      expect(await child.exited).toBe(64);
      expect(await new Response(child.stderr).text()).toContain('"level":"error"');
    } finally {
      await rm(model);
    }
  });
});
