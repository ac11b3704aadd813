import { expect, test } from "bun:test";
import { AppError } from "../../lib/errors";
import { silentLog } from "../../lib/log";
import type { CacheStats } from "../ports/cache";
import type { NodeView } from "../ports/engine";
import type { LedgerState } from "../ports/ledger";
import { createDegradations } from "./degradations";
import { createHealth } from "./service";

const since = new Date("2026-11-23T20:00:00Z");

const node = (id: string, state: NodeView["state"]): NodeView => ({
  id,
  url: `http://${id}`,
  state,
  since,
  outstanding: 0,
  isDrained: false,
});

const layer = (name: CacheStats["layer"], status: CacheStats["status"]): CacheStats => ({
  layer: name,
  status,
  since,
  entries: 0,
  sizeBytes: 0,
});

const ALIVE = { isAlive: true, lastBeat: since };

const setUp = (
  nodes: NodeView[],
  caches: CacheStats[] = [layer("memory", "ok")],
  worker = ALIVE,
  vectors?: Parameters<typeof createHealth>[0]["vectors"],
  limits: LedgerState = { status: "ok", since, gateways: 1 },
) => {
  const database = { ping: async () => {}, write: async () => {}, writes: 0 };
  const health = createHealth({
    log: silentLog(),
    engine: { nodes: () => nodes },
    cache: { stats: async () => caches },
    jobs: { workers: async () => worker },
    vectors,
    limits: { state: () => limits },
    pingDatabase: () => database.ping(),
    writeDatabase: () => {
      database.writes++;
      return database.write();
    },
  });
  return { health, database };
};

const summaryOf = async ({ health }: ReturnType<typeof setUp>) => {
  const { status, degraded } = await health.readiness();
  return [status, degraded.map(({ code }) => code).join(), health.degradations.reduced()?.header];
};

test("an unused dependency is listed and doesn't affect the status", async () => {
  const { health } = setUp([node("a", "ready")]);
  const { status, dependencies } = await health.readiness();
  expect(status).toBe("ok");
  const unused = dependencies.filter((dependency) => dependency.status === "not_configured");
  expect(unused.map(({ name }) => name)).toEqual(["vectors"]);
});

test("with the vector store down, the status is degraded with keyword_only and the reason", async () => {
  const vectors = { state: () => ({ status: "down" as const, since, latencyMs: null, reason: "Check the token." }) };
  const set = setUp([node("a", "ready")], undefined, undefined, vectors);
  expect(await summaryOf(set)).toEqual(["degraded", "keyword_only", "keyword_only"]);
  const { dependencies } = await set.health.readiness();
  expect(dependencies.find(({ name }) => name === "vectors")).toMatchObject({
    status: "down",
    required: false,
    since: since.toISOString(),
    reason: "Check the token.",
  });
});

test("with some nodes down, the status is degraded with fewer_nodes, in the header too", async () => {
  for (const state of ["down", "ejected", "stuck", "loading", "draining"] as const) {
    expect(await summaryOf(setUp([node("a", "ready"), node("b", state)]))).toEqual([
      "degraded",
      "fewer_nodes",
      "fewer_nodes",
    ]);
  }
});

test("with all nodes down, the status is down, and only stored answers are served", async () => {
  expect(await summaryOf(setUp([node("a", "down"), node("b", "stuck")]))).toEqual([
    "down",
    "cached_only",
    "cached_only",
  ]);
});

test("each state of a node has its reason code, in its dependency and as the cause of the degradation", async () => {
  for (const state of ["loading", "stuck", "draining", "ejected", "down"] as const) {
    const { dependencies, degraded } = await setUp([node("a", state)]).health.readiness();
    expect([dependencies[0]?.reason_code, degraded[0]?.causes]).toEqual([state, [state]]);
  }
  const { dependencies } = await setUp([node("a", "busy"), node("b", "ready")]).health.readiness();
  expect(dependencies.slice(0, 2).map((each) => each.reason_code)).toEqual(["busy", null]);
});

test("a busy node doesn't count as down", async () => {
  const { degraded } = await setUp([node("a", "busy"), node("b", "ready")]).health.readiness();
  expect(degraded).toEqual([]);
});

test("without Redis, the status is degraded with cache_local since Redis was lost", async () => {
  const { health } = setUp([node("a", "ready")], [layer("memory", "ok"), layer("redis", "degraded")]);
  const { status, degraded } = await health.readiness();
  expect([status, degraded[0]?.code, degraded[0]?.since]).toEqual(["degraded", "cache_local", since.toISOString()]);
});

test("without a jobs worker, the status is degraded with no_jobs since the last heartbeat", async () => {
  const { health } = setUp([node("a", "ready")], [], { isAlive: false, lastBeat: since });
  const { status, degraded, dependencies } = await health.readiness();
  expect([status, degraded[0]?.code, degraded[0]?.since]).toEqual(["degraded", "no_jobs", since.toISOString()]);
  expect(dependencies.find(({ name }) => name === "jobs")?.status).toBe("down");
});

test("with a database that can't be written, the status is down, with the reason", async () => {
  for (const [kind, reason] of [
    ["storage_full", "No disk space left"],
    ["internal", "Readable but not writable"],
  ] as const) {
    const { health, database } = setUp([node("a", "ready")]);
    database.write = () => Promise.reject(new AppError(kind, "no"));
    const { status, dependencies } = await health.readiness();
    expect([status, dependencies.find(({ name }) => name === "database")?.reason]).toEqual(["down", reason]);
  }
});

test("G8: without Redis, the limits are local, and the share of each gateway is shown", async () => {
  const lost = setUp([node("a", "ready")], undefined, undefined, undefined, { status: "local", since, gateways: 2 });
  expect(await summaryOf(lost)).toEqual(["degraded", "limits_local", "limits_local"]);
  expect((await lost.health.readiness()).degraded[0]?.reason).toBe(
    "Redis is unreachable: this gateway enforces 1/2 of each limit",
  );
});

test("with a database that doesn't respond, the status is down", async () => {
  const { health, database } = setUp([node("a", "ready")]);
  database.ping = () => Promise.reject(new Error("gone"));
  expect((await health.readiness()).status).toBe("down");
});

test("frequent checks write to the database at most every three seconds", async () => {
  const { health, database } = setUp([node("a", "ready")]);
  for (let i = 0; i < 20; i++) await health.readiness();
  expect(database.writes).toBe(1);
});

test("a failed cache check is logged and keeps the last known state", async () => {
  const warned = Promise.withResolvers<void>();
  const degradations = createDegradations({
    engine: { nodes: () => [] },
    cache: { stats: () => Promise.reject(new Error("No cache.")) },
    workers: async () => ALIVE,
    limits: { state: () => ({ status: "ok", since, gateways: 1 }) },
    log: { warn: () => warned.resolve() },
  });
  degradations.open();
  await warned.promise;
  degradations.close();
  expect(degradations.list()).toEqual([]);
});
