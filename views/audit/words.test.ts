import { expect, test } from "bun:test";
import { join } from "node:path";
import { actionText, changesText, entryPage, OBJECT_TYPES } from "./words";

const ROOT = join(import.meta.dir, "../..");

/** Actions in the lines that write to the audit log. */
const writtenActions = async (): Promise<string[]> => {
  const actions = new Set<string>();
  for await (const path of new Bun.Glob("{gateway,db,jobs}/**/*.ts").scan(ROOT)) {
    if (path.endsWith(".test.ts")) continue;
    for (const line of (await Bun.file(join(ROOT, path)).text()).split("\n")) {
      if (!/\baction: |\b(change|note|record|save)\(/.test(line)) continue;
      for (const [, action] of line.matchAll(/"([a-z_]+\.[a-z_]+)"/g)) if (action) actions.add(action);
    }
  }
  return [...actions].toSorted();
};

test("the audit log describes every action in words, and filters by its kind of object", async () => {
  const actions = await writtenActions();
  expect(actions).toEqual(expect.arrayContaining(["key.create", "node.drain", "drill.end", "webhook.redeliver"]));
  expect(actions.filter((action) => actionText(action) === action)).toEqual([]);
  const types = new Set<string>(OBJECT_TYPES.map(({ value }) => value));
  expect(actions.filter((action) => !types.has(action.slice(0, action.indexOf("."))))).toEqual([]);
});

test("an entry links to the page of its webhook", () => {
  const entry = { action: "webhook.update", object: { type: "webhook", id: "wh_1" } };
  expect(entryPage(entry)).toBe("/webhooks/wh_1");
});

test("changes are shown as text: times to the minute, lists without brackets, and nothing as none", () => {
  const changes = {
    name: "a 2026-12-01T01:36:01.679Z",
    expires_at: "2026-12-01T01:36:01.679Z",
    events: ["node.down", "node.up"],
    allowed_models: null,
    budgets: [],
    model_limits: [{ model: "small" }],
    deleted: 12,
  };
  expect(changesText(changes)).toBe(
    "name: a 2026-12-01T01:36:01.679Z; expires at: 2026-12-01 01:36 UTC; events: node.down, node.up; " +
      'allowed models: none; budgets: none; model limits: [{"model":"small"}]; deleted: 12',
  );
});
