import { describe, expect, test } from "bun:test";
import { AppError } from "../lib/errors";
import type { NodeEngine } from "./engine/engine";
import { createSyntheticEngine } from "./engine/synthetic";
import { chatBody, events, firstBytes, TestClient, testConfig, testNode, until } from "./test-node";

const failure = (text: string) => JSON.parse(text).error;

/** The synthetic engine, which loads when it is told to. */
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
  return { engine, report: (fraction: number) => progress(fraction), finish: load.resolve, fail: load.reject };
};

describe("a node that loads", () => {
  test("says how far it is, refuses work with 503 meanwhile, and is ready in the end", async () => {
    const { engine, report, finish } = slowToLoad();
    await using node = await testNode({}, { engine });
    using client = new TestClient(node.url);
    report(0.4);
    const probe = await client.request("/readyz");
    expect([probe.status, JSON.parse(probe.text)]).toMatchObject([
      503,
      { state: "loading", progress: 0.4, models: [] },
    ]);
    const refused = await client.chat("Hi");
    expect([refused.status, failure(refused.text).code, refused.headers["retry-after"]]).toEqual([
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

  test("tells its starter why it can't", async () => {
    const { engine, fail } = slowToLoad();
    await using node = await testNode({}, { engine });
    fail(new AppError("unavailable", "No disk space for the model."));
    await expect(node.ready).rejects.toThrow("No disk space for the model.");
  });
});

describe("a node whose engine hangs", () => {
  test("calls itself stuck, goes on taking work, and recovers by the next token", async () => {
    await using node = await testNode({ node: { stuckMs: 100 } });
    using client = new TestClient(node.url);
    const hung = client.open("/v1/chat/completions", { body: chatBody("!hang") });
    const stuck = await until(async () => {
      const reply = await client.request("/readyz");
      return reply.status === 503 && JSON.parse(reply.text);
    });
    expect(stuck).toMatchObject({ state: "stuck", slots: { running: 1 } });
    expect(stuck.last_token_ms).toBeGreaterThanOrEqual(100);
    expect((await client.chat("Hi")).status).toBe(200);
    hung.destroy();
    await until(async () => (await client.readiness()).state === "ready");
  });

  test("is not stuck when it only waits for its client to read", async () => {
    await using node = await testNode({
      node: { stuckMs: 100, contextTokens: 1_000_000 },
      synthetic: { tokens: 100_000 },
    });
    using client = new TestClient(node.url);
    using sleeper = new TestClient(node.url);
    sleeper.open("/v1/chat/completions", { body: chatBody("Hi", { stream: true }) }).pause();
    await until(async () => {
      const { slots, last_token_ms } = await client.readiness();
      return slots.running === 1 && last_token_ms === undefined;
    });
    expect((await client.readiness()).state).toBe("ready");
  });
});

describe("a node that drains", () => {
  test("says GOAWAY in two steps, finishes what runs and waits, and takes nothing new", async () => {
    await using node = await testNode({ node: { slots: 1 }, synthetic: { tokenMs: 5, tokens: 40 } });
    using client = new TestClient(node.url);
    using other = new TestClient(node.url);
    await other.readiness();
    const goaways: number[] = [];
    client.session.on("goaway", (_code, lastStreamId) => goaways.push(lastStreamId));
    const [running, waiting] = [client.chat("Hi", { stream: true }), client.chat("Hi", { stream: true })];
    await until(async () => (await other.readiness()).queue.depth === 1);
    const draining = node.close(10_000);
    const replies = await Promise.all([running, waiting]);
    await draining;
    expect(replies.every(({ text }) => text.endsWith("data: [DONE]\n\n"))).toBe(true);
    expect(goaways[0]).toBe(2 ** 31 - 1);
    using late = new TestClient(node.url);
    expect((await late.chat("Hi")).status).toBe(0);
  });

  test("ends with an error frame what takes longer than the time to drain", async () => {
    await using node = await testNode();
    using client = new TestClient(node.url);
    const hung = client.chat("!hang after 1", { stream: true });
    await until(async () => (await client.readiness()).slots.running === 1);
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
  /** A port that was free a moment ago. */
  const freePort = () => {
    const server = Bun.serve({ port: 0, fetch: () => new Response() });
    server.stop(true);
    return `${server.port}`;
  };

  test("prints its address in one line, and on SIGTERM finishes what runs and exits 0", async () => {
    const child = start({ GROUNDWIRE_NODE_PORT: freePort(), GROUNDWIRE_SYNTHETIC_TOKEN_MS: "10" });
    const line = new TextDecoder().decode((await child.stdout.getReader().read()).value);
    const url = /^GPU node: (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(line)?.[1] ?? "";
    using client = new TestClient(url);
    await until(async () => (await client.readiness()).state === "ready");
    const stream = client.open("/v1/chat/completions", { body: chatBody("Hi", { stream: true }) });
    let text = "";
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    await firstBytes(stream);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    await until(() => stream.closed);
    expect(text).toEndWith("data: [DONE]\n\n");
  });

  test("says why it can't start, and exits 1", async () => {
    const child = start({ GROUNDWIRE_NODE_HOST: "0.0.0.0" });
    expect(await child.exited).toBe(1);
    expect(await new Response(child.stderr).text()).toContain("GROUNDWIRE_NODE_TOKEN");
  });
});
