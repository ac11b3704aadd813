import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { listAudit } from "../../db/audit";
import type { Db } from "../../db/client";
import { problemOf, temporaryDb } from "../../tests/db/temporary";
import { PRINCIPAL } from "../../tests/principal";
import { BUILT_IN_EVALUATORS } from "./built-in";
import { createEvaluators, type EvaluatorService, evaluatorHash } from "./service";

let db: Db;
let evaluators: EvaluatorService;
beforeEach(async () => {
  db = await temporaryDb();
  evaluators = createEvaluators({ db });
});
afterEach(() => db.close());

const criterion = {
  name: "politeness",
  description: "Is the answer polite?",
  scale: { min: 1, max: 5, step: 1 },
  direction: "higher_is_better" as const,
  threshold: 4,
  weight: 1,
};
const judge = { model: "smollm2-135m-instruct", prompt: null, votes: 1, temperature: 0, seed: 0 };
const create = (name: string, changes: Partial<typeof judge> = {}) =>
  evaluators.create(PRINCIPAL, { name, criteria: [criterion], judge: { ...judge, ...changes } }, async () => {});
const kindOf = async (attempt: Promise<unknown>) => (await problemOf(attempt)).kind;

test("by default, reference@1 gives the verdict and no judge runs", async () => {
  expect((await evaluators.choose(undefined)).map(({ reference, shadow }) => [reference, shadow])).toEqual([
    ["reference@1", false],
  ]);
  const { data } = await evaluators.list({});
  expect(data.map(({ name, active }) => [name, active?.version])).toEqual([
    ["exact", undefined],
    ["judge", undefined],
    ["reference", 1],
    ["tool_call", undefined],
  ]);
});

test("the hashes of released versions never change", () => {
  const hashes = Object.fromEntries(BUILT_IN_EVALUATORS.map((each) => [each.name, evaluatorHash(each).slice(0, 12)]));
  expect(hashes).toMatchInlineSnapshot(`
    {
      "exact": "6f452940b9f3",
      "judge": "5de785d2aa6f",
      "reference": "4ec314d386d1",
      "tool_call": "1a2adb42b43d",
    }
  `);
});

describe("a custom judge", () => {
  test("gets the next version number, even after a built-in version", async () => {
    expect([(await create("polite")).version, (await create("polite")).version]).toEqual([1, 2]);
    expect((await create("judge")).version).toBe(2);
    expect((await evaluators.versions("judge", {})).data.map(({ version }) => version)).toEqual([2, 1]);
  });

  test("is rejected if it is named reference or has an even number of votes", async () => {
    expect(await kindOf(create("reference"))).toBe("invalid_request");
    expect(await kindOf(create("polite", { votes: 2 }))).toBe("invalid_request");
  });

  test.each([
    { scale: { min: 5, max: 1, step: 1 } },
    { threshold: 6 },
    { scale: { min: 0, max: 1, step: 0.001 }, threshold: 1 },
  ])("is rejected with an invalid criterion: %j", async (changes) => {
    const request = { name: "polite", criteria: [{ ...criterion, ...changes }], judge };
    expect(await kindOf(evaluators.create(PRINCIPAL, request, async () => {}))).toBe("invalid_request");
  });

  test("may have the name of an inherited object property", async () => {
    await create("constructor");
    expect((await evaluators.choose(undefined)).map(({ reference }) => reference)).toEqual(["reference@1"]);
  });

  test("can't have its own prompt, which would be ignored", async () => {
    const request = { name: "polite", criteria: [criterion], judge: { ...judge, prompt: "mine@1" } };
    const error = await problemOf(evaluators.create(PRINCIPAL, request, async () => {}));
    expect([error.kind, error.detail.param]).toEqual(["not_implemented", "judge.prompt"]);
  });

  test("has a different hash with different settings", async () => {
    expect((await create("polite")).hash).not.toBe((await create("polite", { temperature: 1 })).hash);
  });
});

describe("shadow and promotion", () => {
  test("a shadow scores, but is excluded from the verdict until it is promoted", async () => {
    await create("polite");
    await create("polite");
    await evaluators.promote(PRINCIPAL, "polite", 1);
    const shadowed = await evaluators.shadow(PRINCIPAL, "polite", 2);
    expect([shadowed.active?.version, shadowed.shadow?.version]).toEqual([1, 2]);
    expect((await evaluators.choose(undefined)).map(({ reference, shadow }) => [reference, shadow])).toEqual([
      ["polite@1", false],
      ["polite@2", true],
      ["reference@1", false],
    ]);
    const promoted = await evaluators.promote(PRINCIPAL, "polite", 2);
    expect([promoted.active?.version, promoted.shadow]).toEqual([2, null]);
    const states = (await evaluators.versions("polite", {})).data.map(({ version, state }) => [version, state]);
    expect(states).toEqual([
      [2, "active"],
      [1, "released"],
    ]);
  });

  test("the active version can't be its own shadow, and an unknown version can't be either", async () => {
    await create("polite");
    await evaluators.promote(PRINCIPAL, "polite", 1);
    expect(await kindOf(evaluators.shadow(PRINCIPAL, "polite", 1))).toBe("conflict");
    expect(await kindOf(evaluators.promote(PRINCIPAL, "polite", 9))).toBe("not_found");
    expect(await kindOf(evaluators.shadow(PRINCIPAL, "unknown", 1))).toBe("not_found");
    expect((await evaluators.promote(PRINCIPAL, "polite", null)).active).toBeNull();
  });

  test("each change is in the audit log with the previous value", async () => {
    await create("polite");
    await evaluators.promote(PRINCIPAL, "polite", 1);
    const [last] = await listAudit(db, "polite", 1);
    expect([last?.action, last?.detail]).toEqual([
      "evaluator.promote",
      { version: 1, before: { active: null, shadow: null } },
    ]);
  });
});

test("the evaluators and shadows of a request are resolved, each once", async () => {
  const chosen = await evaluators.choose(["judge@1"], ["reference@1", "judge@1"]);
  expect(chosen.map(({ reference, shadow }) => [reference, shadow])).toEqual([
    ["judge@1", false],
    ["reference@1", true],
  ]);
  expect(await kindOf(evaluators.choose(["reference@2"]))).toBe("not_found");
});
