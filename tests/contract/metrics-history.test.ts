import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { type Db, openDb } from "../../db/client";
import type { Kpis } from "../../gateway/metrics/contract";
import { machineCost } from "../../gateway/metrics/cost";
import { KeyUse } from "../../gateway/metrics/measurements";
import { silentLog } from "../../lib/log";
import { insertBatchRun } from "../batch-run";
import { type Stack, startStack } from "./stack";

let stack: Stack;
let db: Db;
beforeAll(async () => {
  stack = await startStack({ tokens: 5, tokenMs: 5 }, { gateway: { gpuPricePerHour: 3.6, currency: "EUR" } });
  db = await openDb({ url: `file:${join(stack.dataDir, "groundwire.db")}` }, silentLog());
});
afterAll(async () => {
  await db.close();
  await stack.close();
});

const WINDOW = "window=400d&step=1d";
const kpis = async (): Promise<Kpis> => JSON.parse(await (await stack.call("GET", `/v1/metrics?${WINDOW}`)).text());

const DATASET = { id: "ds_1", name: "capitals", revision: 1 };
const verdicts = (passed: number, failed: number) => [...Array(passed).fill(true), ...Array(failed).fill(false)];
const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);

test("pass rates of batch runs are trends per dataset and evaluator version, with intervals", async () => {
  const add = (name: string, evaluator: string, passed: boolean[], days: number, dataset = DATASET) =>
    insertBatchRun(db, { name, dataset, evaluator, passed, endedAt: daysAgo(days), workedMs: 1600 });
  const second = await add("second", "reference@1", verdicts(9, 1), 2);
  const first = await add("first", "reference@1", verdicts(8, 2), 3);
  await add("newer evaluator", "reference@2", verdicts(5, 5), 1);
  await add("other dataset", "reference@1", verdicts(1, 0), 1, { id: "ds_2", name: "rivers", revision: 4 });
  await add("too old", "reference@1", verdicts(1, 9), 500);

  const { evaluations, cost } = await kpis();
  expect(evaluations.map(({ dataset, evaluator, points }) => [dataset.name, evaluator, points.length])).toEqual([
    ["capitals", "reference@1", 2],
    ["capitals", "reference@2", 1],
    ["rivers", "reference@1", 1],
  ]);
  const points = evaluations[0]?.points.map(({ run_id, n, pass_rate }) => [run_id, n, pass_rate?.value]);
  expect(points).toEqual([
    [first, 10, 0.8],
    [second, 10, 0.9],
  ]);
  const interval = evaluations[0]?.points[0]?.pass_rate?.interval;
  expect(interval).toMatchObject({ method: "wilson", level: 0.95 });
  expect(interval?.low).toBeCloseTo(0.4902, 4);
  expect(interval?.high).toBeCloseTo(0.9433, 4);
  // Ten samples of 1.6 s in one of 8 slots are 2 s, at 3.6 euros an hour.
  expect(cost.runs[0]).toMatchObject({ seconds: 2, amount: 0.002 });
  expect((await (await stack.call("GET", "/v1/metrics?window=36h")).json()) as Kpis).toMatchObject({
    evaluations: [{ evaluator: "reference@2" }, { dataset: { name: "rivers" } }],
  });
});

test("a key's share and idle time add up to the price of the machines", async () => {
  const key = await stack.keyOf("member");
  const body = { messages: [{ role: "user", content: "Count this." }] };
  for (let n = 0; n < 3; n++) expect((await stack.call("POST", "/v1/chat", { key, body })).status).toBe(200);
  const { cost } = await kpis();
  const [used] = cost.keys;
  expect(used).toMatchObject({ name: "a member", requests: 3, completion_tokens: 15, job_seconds: 0 });
  // Each answer takes at least 20 ms in one of 8 slots.
  expect(used?.seconds).toBeGreaterThan(0.0075);
  const amounts = cost.keys.reduce((sum, { amount }) => sum + (amount ?? 0), cost.idle_amount ?? 0);
  expect(amounts).toBeCloseTo(cost.amount ?? 0, 9);
  expect(cost.amount).toBeCloseTo((cost.seconds / 3600) * 3.6, 9);
  expect(cost.currency).toBe("EUR");
});

test("if answers and embeddings together use more than the period, their shares shrink to fit it", () => {
  const use = (machineMs: number) => Object.assign(new KeyUse(), { machineMs });
  const keys = new Map([
    ["key_a", use(90_000)],
    ["key_b", use(30_000)],
  ]);
  const price = { gpuPricePerHour: 60, currency: "USD" };
  const cost = machineCost({ price, from: 0, to: 60_000, keys, keyNames: new Map(), runs: [], slots: 8 });
  expect(cost.keys.map(({ key_id, seconds, amount }) => [key_id, seconds, amount])).toEqual([
    ["key_a", 45, 0.75],
    ["key_b", 15, 0.25],
  ]);
  expect([cost.idle_seconds, cost.amount]).toEqual([0, 1]);
});

test.each([
  ["series", /^at,requests,errors,server_errors,cancelled,answers,latency_p50_ms/, 401],
  ["routes", /^method,route,requests/, 2],
  ["nodes", /^at,node,up,slots/, 1],
  ["evaluations", /^at,dataset,revision,run_id/, 2],
  ["cost", /^kind,id,name,seconds,amount,currency/, 4],
] as const)("the table %s can be downloaded as CSV", async (table, header, minLines) => {
  const response = await stack.call("GET", `/v1/metrics/export?${WINDOW}&format=csv&table=${table}`);
  expect(response.headers.get("content-type")).toBe("text/csv; charset=utf-8");
  expect(response.headers.get("content-disposition")).toMatch(/filename="groundwire-metrics-.*-\w+\.csv"/);
  const lines = (await response.text()).trimEnd().split("\r\n");
  expect(lines[0]).toMatch(header);
  expect(lines.length).toBeGreaterThanOrEqual(minLines);
  const columns = lines[0]?.split(",").length;
  expect(lines.slice(1).filter((line) => !line.includes('"') && line.split(",").length !== columns)).toEqual([]);
});

test("cells without a value are empty", async () => {
  const response = await stack.call("GET", "/v1/metrics/export?format=csv&table=cost");
  expect(await response.text()).toMatch(/^idle,,,[\d.]+,[\d.]+,EUR,,,$/m);
});

test("a node reports its machine", async () => {
  const { data } = JSON.parse(await (await stack.call("GET", "/v1/nodes")).text());
  const { cpu, cores, memory, gpu } = data[0].machine;
  expect([typeof cpu, cores > 0, gpu]).toEqual(["string", true, null]);
  expect(memory.used_bytes).toBeWithin(1, memory.total_bytes);
});

test("all metrics can be downloaded as JSON", async () => {
  const response = await stack.call("GET", "/v1/metrics/export?window=1h");
  expect(response.headers.get("content-disposition")).toEndWith('.json"');
  const file: Kpis = JSON.parse(await response.text());
  expect(Object.keys(file)).toEqual(Object.keys(await kpis()));
});
