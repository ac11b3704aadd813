import { beforeEach, expect, test } from "bun:test";
import { AppError } from "../../../lib/errors";
import { problemOf } from "../../../tests/db/temporary";
import { until } from "../../../tests/until";
import { MonitoredVectors } from "./monitored-vectors";

const QUERY = { vector: Float32Array.of(1, 0), topK: 1, filter: null };
const LOST = new AppError("unavailable", "The vector store can't be reached after 4 attempts. Try again in a moment.");

let problem: AppError | undefined;
let calls: string[];
let seconds: number;
let monitored: MonitoredVectors;
beforeEach(() => {
  problem = undefined;
  calls = [];
  seconds = 0;
  const call = (name: string) => {
    calls.push(name);
    if (problem) throw problem;
  };
  const query = async () => {
    call("query");
    return [];
  };
  const store = { id: "store", check: async () => call("check"), query };
  monitored = new MonitoredVectors(store, () => seconds * 1000);
});
const query = () => monitored.query("idx_1-1", QUERY);
const isDown = () => until("the store is down", async () => monitored.state().status === "down");

test("a working store is checked every 30 seconds, and by queries", async () => {
  for (let i = 0; i < 3; i++) monitored.state();
  await until("it was checked", async () => calls.length === 1);
  seconds = 29;
  await query();
  seconds = 58;
  monitored.state();
  expect(calls).toEqual(["check", "query"]);
  seconds = 60;
  expect(monitored.state().status).toBe("ok");
  await until("it was checked again", async () => calls.length === 3);
});

test("queries to a store that is down fail immediately until a check succeeds", async () => {
  problem = LOST;
  expect((await problemOf(query())).kind).toBe("unavailable");
  const { status, reason } = monitored.state();
  expect([status, reason]).toEqual(["down", LOST.message]);
  const before = calls.length;
  const { kind, message } = await problemOf(query());
  expect([kind, message, calls.length]).toEqual([
    "unavailable",
    `The vector store is down. ${LOST.message} Use keyword mode, or try again later.`,
    before,
  ]);
  problem = undefined;
  seconds = 6;
  await until("the store is back", async () => monitored.state().status === "ok");
  expect(await query()).toEqual([]);
});

test("a rejected token means that the store is down, a rejected filter does not", async () => {
  problem = new AppError("invalid_request", "The vector store can't filter on this field.");
  await problemOf(query());
  seconds = 1;
  expect(monitored.state().status).toBe("ok");
  problem = new AppError("upstream_error", "The vector store rejected the request with status 401.");
  await problemOf(query());
  await isDown();
});
