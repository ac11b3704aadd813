import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { asc } from "drizzle-orm";
import type { Db } from "../../db/client";
import { webhookEvents } from "../../db/schema";
import { silentLog } from "../../lib/log";
import { temporaryDb } from "../../tests/db/temporary";
import type { Degradation } from "../health/contract";
import type { NodeView } from "../ports/engine";
import { OutageWatch } from "./outage-watch";

let db: Db;
/** Seconds since the start of the test. */
let clock: number;
const START = Date.parse("2026-12-01T12:00:00.000Z");
const at = (seconds: number) => new Date(START + seconds * 1000).toISOString();
beforeEach(async () => {
  db = await temporaryDb();
  clock = 0;
});
afterEach(() => db.close());

/** A gateway's view of one node and its degradations. */
class View {
  node: NodeView["state"] = "ready";
  isDrained = false;
  degradations: Degradation[] = [];
  watch = this.start();

  /** Another process of the same gateway. */
  start(on = db) {
    return new OutageWatch({
      db: on,
      log: silentLog(),
      nodes: () => [{ id: "node-1", state: this.node, isDrained: this.isDrained }],
      degradations: () => this.degradations,
      now: () => new Date(START + clock * 1000),
      monotonicMs: () => clock * 1000,
    });
  }
}

/** Has the gateways check every second for this long. */
const pass = async (seconds: number, ...views: View[]): Promise<void> => {
  for (let n = 0; n < seconds; n++) {
    clock += 1;
    await Promise.all(views.map(({ watch }) => watch.look()));
  }
};

const published = async () =>
  (await db.select().from(webhookEvents).orderBy(asc(webhookEvents.createdAt), asc(webhookEvents.id))).map(
    ({ type, data }): Record<string, unknown> => ({ type, ...data }),
  );

const down = (since: string) => ({
  ...{ type: "node.down", node: "node-1", state: "down", since },
  reason: "It is unreachable, or its engine failed.",
});
const up = (since: string, ended_at: string) => ({
  ...{ type: "node.up", node: "node-1", since, ended_at },
  seconds: (Date.parse(ended_at) - Date.parse(since)) / 1000,
});

test("a node that goes down and comes back is published once each, after ten seconds", async () => {
  const view = new View();
  view.node = "down";
  await pass(10, view);
  expect(await published()).toEqual([]);
  await pass(1, view);
  expect(await published()).toEqual([down(at(1))]);
  await pass(100, view);
  view.node = "busy";
  await pass(20, view);
  expect(await published()).toEqual([down(at(1)), up(at(1), at(112))]);
});

test("a node that changes faster than that is not published", async () => {
  const view = new View();
  for (let n = 0; n < 20; n++) {
    view.node = "down";
    await pass(9, view);
    view.node = "ready";
    await pass(9, view);
  }
  expect(await published()).toEqual([]);
});

test("a node that is loading or drained is neither down nor back", async () => {
  const view = new View();
  view.node = "loading";
  await pass(60, view);
  view.node = "down";
  view.isDrained = true;
  await pass(60, view);
  expect(await published()).toEqual([]);
  view.isDrained = false;
  await pass(11, view);
  view.node = "loading";
  await pass(60, view);
  expect((await published()).map(({ type }) => type)).toEqual(["node.down"]);
});

describe("several gateways", () => {
  test("publish an outage once; it ends when none of them sees it any more", async () => {
    const views = [new View(), new View(), new View()] as const;
    for (const view of views) view.node = "down";
    await pass(30, ...views);
    views[0].node = "ready";
    await pass(30, ...views);
    expect(await published()).toEqual([down(at(1))]);
    views[1].node = views[2].node = "ready";
    await pass(30, ...views);
    expect(await published()).toEqual([down(at(1)), up(at(1), at(61))]);
  });

  test("publish the end of an outage that only a dead gateway saw", async () => {
    const [dead, alive] = [new View(), new View()];
    dead.node = "down";
    await pass(15, dead, alive);
    await pass(50, alive);
    expect(await published()).toEqual([down(at(1))]);
    await pass(40, alive);
    expect((await published()).map(({ type }) => type)).toEqual(["node.down", "node.up"]);
  });
});

test("a restarted gateway continues an outage", async () => {
  const view = new View();
  view.node = "down";
  await pass(15, view);
  clock += 3600;
  view.watch = view.start();
  await pass(60, view);
  expect(await published()).toEqual([down(at(1))]);
  view.node = "ready";
  await pass(90, view);
  expect((await published()).map(({ type }) => type)).toEqual(["node.down", "node.up"]);
});

test("a degradation is published when it starts and ends, with the drill that caused it", async () => {
  const view = new View();
  const fields = { code: "cache_local" as const, reason: "Redis is unreachable", drill: true };
  view.degradations = [{ ...fields, causes: [], since: at(0) }];
  await pass(15, view);
  view.degradations = [];
  await pass(15, view);
  expect(await published()).toEqual([
    { type: "degradation.started", ...fields, since: at(1) },
    { type: "degradation.ended", ...fields, since: at(1), ended_at: at(16), seconds: 15 },
  ]);
});

test("what can't be stored is stored later", async () => {
  const view = new View();
  let isBroken = true;
  const write: Db["write"] = (work) => (isBroken ? Promise.reject(new Error("disk full")) : db.write(work));
  view.watch = view.start(Object.assign(Object.create(db) as Db, { write }));
  view.node = "stuck";
  await pass(30, view);
  isBroken = false;
  await pass(1, view);
  expect(await published()).toMatchObject([{ type: "node.down", state: "stuck", since: at(1) }]);
});
