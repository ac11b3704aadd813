import { expect, test } from "bun:test";
import type { NodeView } from "../ports/engine";
import { createPressure } from "./pressure";

const nodeWith = (depth: number, state: NodeView["state"] = "ready"): NodeView => ({
  ...{ id: "a", url: "http://a", state, since: new Date(0), outstanding: 0, isDrained: false },
  readiness: {
    ...{ state: "ready", engine: "test", synthetic: true, version: "0", models: [] },
    slots: { total: 8, running: 8 },
    queue: { depth, capacity: 100 },
  },
});

/** Codes after each second of a series of queue depths. */
const codesFor = (depths: number[]): string[] => {
  let nowMs = 0;
  const pressureOf = createPressure(() => nowMs);
  return depths.map((depth) => {
    const codes = pressureOf([nodeWith(depth)]).map(({ code }) => code);
    nowMs += 1000;
    return codes.join("+");
  });
};

test("a queue that stays half full for three seconds shortens answers; a short peak doesn't", () => {
  expect(codesFor([60, 60, 60, 60])).toEqual(["", "", "", "fewer_tokens"]);
  expect(codesFor([60, 60, 0, 60, 60, 60])).toEqual(["", "", "", "", "", ""]);
});

test("a nearly full queue also pauses evaluations", () => {
  expect(codesFor([90, 90, 90, 90])[3]).toBe("fewer_tokens+no_evals");
});

test("a mode is left only after five seconds with a queue that is less than a quarter full", () => {
  const calm = Array.from({ length: 6 }, () => 10);
  const seen = codesFor([60, 60, 60, 60, 40, 30, ...calm]);
  expect(seen.slice(3, 11)).toEqual(Array.from({ length: 8 }, () => "fewer_tokens"));
  expect(seen[11]).toBe("");
});

test("nodes that accept no requests don't count", () => {
  let nowMs = 0;
  const pressureOf = createPressure(() => nowMs);
  for (let i = 0; i < 5; i++, nowMs += 1000) expect(pressureOf([nodeWith(0), nodeWith(100, "stuck")])).toEqual([]);
});
