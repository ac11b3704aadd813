import { expect, test } from "bun:test";
import type { AuditEntry } from "../../db/audit";
import { fakeEngine } from "../../tests/engine-fake";
import { PRINCIPAL } from "../../tests/principal";
import { DEGRADATION_CODES } from "./contract";
import { createDegradations } from "./degradations";

const MINUTE_MS = 60_000;

const setUp = () => {
  const clock = { ms: Date.UTC(2026, 10, 23, 20) };
  const audited: AuditEntry[] = [];
  const logged: [message: string, code: unknown][] = [];
  const switched: [code: string, isOn: boolean][] = [];
  const note = (fields: unknown, message?: string) =>
    void logged.push([message ?? "", (fields as { code?: unknown }).code]);
  const workers = { isAlive: true, lastBeat: new Date(clock.ms) };
  const degradations = createDegradations({
    engine: fakeEngine(),
    cache: { stats: async () => [] },
    workers: async () => workers,
    limits: { state: () => ({ status: "ok", since: new Date(clock.ms), gateways: 1 }) },
    drills: {
      audit: async (entry) => audited.push(entry),
      effects: { cache_local: (isOn) => switched.push(["cache_local", isOn]) },
    },
    log: { warn: note, info: note },
    now: () => clock.ms,
  });
  return { degradations, clock, audited, logged, switched, workers };
};

const admin = { ...PRINCIPAL, keyId: "key_admin" };

test.each([...DEGRADATION_CODES])(
  "a drill of %s enters the mode, ends by itself, and is logged and audited",
  async (code) => {
    const { degradations, clock, audited, logged } = setUp();
    const mode = await degradations.startDrill(admin, code, { minutes: 10 });
    expect(mode).toMatchObject({ code, active: true, drill: true, drill_ends_at: "2026-11-23T20:10:00.000Z" });
    expect([degradations.has(code), degradations.isDrill(code), degradations.reduced()?.header]).toEqual([
      true,
      true,
      code,
    ]);
    expect(degradations.list()).toMatchObject([{ code, drill: true }]);

    clock.ms += 10 * MINUTE_MS - 1;
    await degradations.refresh();
    expect(degradations.codes()).toEqual([code]);
    clock.ms += 1;
    await degradations.refresh();
    expect([degradations.has(code), degradations.isDrill(code), degradations.reduced()]).toEqual([
      false,
      false,
      undefined,
    ]);

    expect(audited).toMatchObject([
      { actor: { keyId: "key_admin" }, action: "drill.start", target: `degraded:${code}` },
    ]);
    expect(logged).toEqual([
      ["drill started", code],
      ["degraded mode entered", code],
      ["drill ended", code],
      ["degraded mode left", code],
    ]);
  },
);

test("an admin can prolong a drill and end it early; its effect is switched on and off once", async () => {
  const { degradations, clock, audited, switched } = setUp();
  await degradations.startDrill(admin, "cache_local", { minutes: 1 });
  await degradations.startDrill(admin, "cache_local", {});
  clock.ms += 5 * MINUTE_MS;
  await degradations.refresh();
  expect(degradations.has("cache_local")).toBe(true);
  expect(await degradations.endDrill(admin, "cache_local")).toMatchObject({ active: false, drill: false, since: null });
  await degradations.endDrill(admin, "cache_local");
  expect(switched).toEqual([
    ["cache_local", true],
    ["cache_local", false],
  ]);
  expect(audited.map(({ action }) => action)).toEqual(["drill.start", "drill.start", "drill.end"]);
});

test("a mode with a real cause stays active when its drill ends, and shows the real reason meanwhile", async () => {
  const { degradations, workers } = setUp();
  workers.isAlive = false;
  await degradations.startDrill(admin, "no_jobs", {});
  await degradations.refresh();
  expect(degradations.list()).toMatchObject([{ code: "no_jobs", drill: true, causes: ["no_worker"] }]);
  await degradations.endDrill(admin, "no_jobs");
  expect(degradations.list()).toMatchObject([{ code: "no_jobs", drill: false, causes: ["no_worker"] }]);
});

test("another service's report enters a mode at once; it is left when the report is withdrawn or expires", async () => {
  const { degradations, clock } = setUp();
  degradations.report("limits_local", "Redis is unreachable: limits apply to each gateway");
  expect(degradations.list()).toMatchObject([
    { code: "limits_local", drill: false, since: "2026-11-23T20:00:00.000Z" },
  ]);
  clock.ms += MINUTE_MS;
  degradations.report("limits_local", "Redis is unreachable: limits apply to each gateway");
  expect(degradations.list()[0]?.since).toBe("2026-11-23T20:00:00.000Z");
  degradations.report("limits_local", undefined);
  expect(degradations.list()).toEqual([]);

  degradations.report("fallback_model", "small answers instead of big", 30_000);
  clock.ms += 29_000;
  await degradations.refresh();
  expect(degradations.codes()).toEqual(["fallback_model"]);
  clock.ms += 1000;
  await degradations.refresh();
  expect(degradations.codes()).toEqual([]);
});

test("codes are listed in a fixed order, whichever came first", async () => {
  const { degradations } = setUp();
  for (const code of ["no_evals", "cached_only", "cache_local"] as const)
    await degradations.startDrill(admin, code, {});
  expect(degradations.reduced()?.header).toBe("cache_local, cached_only, no_evals");
});
