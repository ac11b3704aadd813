import type { Db } from "../../db/client";
import { putRollups, type RollupRow } from "../../db/rollups";
import { Measurements, NodeUse, toStored } from "../../gateway/metrics/measurements";
import { PERIODS } from "../../gateway/metrics/rollups";
import { insertBatchRun } from "../batch-run";
import { seededRandom } from "../random";

const DAY_MS = 86_400_000;
const SLOTS = { answers: 8, embeddings: 64 };

/** A minute of traffic of an office: busy around noon in UTC, a few errors, one queue. */
const minuteOf = (at: number, keyIds: readonly string[], roll: () => number): Measurements => {
  const measured = new Measurements();
  const hour = (at % DAY_MS) / 3_600_000;
  const load = Math.max(0.05, Math.cos(((hour - 13) / 24) * 2 * Math.PI));
  const calls = Math.round(load * 6 * roll());
  const isCrowded = hour > 11 && hour < 14;
  const running = Math.min(8, calls);
  for (let n = 0; n < calls; n++) {
    const ttftMs = 90 + 60 * roll() + (isCrowded ? 400 * roll() ** 3 : 0);
    const totalMs = ttftMs + 900 + 5000 * roll();
    const isHit = roll() < 0.25;
    measured.generation(
      {
        operation: "chat",
        caller: {
          keyId: keyIds[Math.floor(roll() ** 2 * keyIds.length)] ?? "key_1",
          via: n % 5 === 0 ? "worker" : "key",
        },
        model: "smollm2-135m-instruct",
        stream: true,
        cache: isHit ? { status: "hit", kind: "memory" } : { status: "miss" },
        gatewayMs: 0.2 + roll() * 0.1,
        queueMs: isCrowded ? 200 * roll() : 0.1,
        ttftMs: isHit ? 0.4 : ttftMs,
        totalMs: isHit ? 0.6 : totalMs,
        promptTokens: Math.round(200 + 600 * roll()),
        completionTokens: Math.round(60 + 240 * roll()),
      },
      SLOTS,
    );
    const errorKind =
      roll() < 0.012 ? ("rate_limited" as const) : roll() < 0.004 ? ("upstream_error" as const) : undefined;
    const isLeft = n % 5 === 4 && isCrowded;
    const status = errorKind === "rate_limited" ? 429 : errorKind ? 502 : isLeft ? 499 : 200;
    const route = n % 3 === 0 ? "/v1/chat/completions" : "/v1/chat";
    measured.request(`POST ${route}`, { method: "POST", route, status, durationMs: totalMs, errorKind });
  }
  const node = Object.assign(new NodeUse(), { looks: 6, up: 6, slots: 48, running: running * 6 });
  Object.assign(node, { waiting: isCrowded ? 6 * roll() : 0, maxWaiting: isCrowded ? Math.round(5 * roll()) : 0 });
  Object.assign(node, { memoryBytes: 6 * (5.2e9 + 0.4e9 * roll()), memoryLooks: 6 });
  measured.nodes.set("node-1", node);
  return measured;
};

/** Stores traffic of the last `days` days, as a gateway would have. */
export const insertTraffic = async (db: Db, { days, keyIds }: { days: number; keyIds: string[] }): Promise<void> => {
  const roll = seededRandom(7);
  const now = Date.now();
  const rows = new Map<string, RollupRow & { sum: Measurements }>();
  for (let at = now - days * DAY_MS; at < now; at += 60_000) {
    const measured = minuteOf(at, keyIds, roll);
    for (const resolution of ["minute", "hour", "day"] as const) {
      const { lengthMs, keptMs } = PERIODS[resolution];
      if (at < now - keptMs) continue;
      const start = Math.floor(at / lengthMs) * lengthMs;
      const row = rows.getOrInsertComputed(`${resolution} ${start}`, () => {
        return { resolution, at: start, source: "earlier", measured: {}, sum: new Measurements() };
      });
      row.sum.merge(measured);
    }
  }
  const stored = [...rows.values()].map(({ sum, ...row }) => ({ ...row, measured: { ...toStored(sum) } }));
  for (let i = 0; i < stored.length; i += 500) await db.write((tx) => putRollups(tx, stored.slice(i, i + 500)));
};

/** Stores batch runs of two datasets, the first judged by two versions of an evaluator. */
export const insertEvaluations = async (db: Db): Promise<void> => {
  const roll = seededRandom(3);
  const support = { id: "ds_support", name: "support questions" };
  const capitals = { id: "ds_capitals", name: "capitals" };
  const endedAt = (daysAgo: number) => new Date(Date.now() - daysAgo * DAY_MS);
  const passed = (count: number, rate: number) => Array.from({ length: count }, () => roll() < rate);
  for (const [n, rate] of [0.71, 0.74, 0.78, 0.77, 0.83, 0.86].entries()) {
    const run = { name: `nightly ${n + 1}`, dataset: { ...support, revision: 3 }, passed: passed(60, rate) };
    const evaluator = n < 4 ? "reference@1" : "reference@2";
    await insertBatchRun(db, { ...run, evaluator, endedAt: endedAt(6.5 - n), workedMs: 2600 });
  }
  for (const [n, rate] of [0.9, 0.95].entries()) {
    const run = { name: `release ${n + 1}`, dataset: { ...capitals, revision: 1 }, passed: passed(20, rate) };
    await insertBatchRun(db, { ...run, evaluator: "reference@1", endedAt: endedAt(5 - 2 * n), workedMs: 900 });
  }
};
