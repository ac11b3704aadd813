import { expect, test } from "bun:test";
import { killNine } from "../faults/kill-nine";

test("kill -9 of gateway and worker during uploads and evaluations loses nothing that was acknowledged", async () => {
  const { datasets, runs, lost, torn, integrity, brokenReferences } = await killNine(12);
  expect({ lost, torn, integrity, brokenReferences }).toEqual({
    lost: [],
    torn: [],
    integrity: "ok",
    brokenReferences: 0,
  });
  expect(datasets).toBeGreaterThan(0);
  expect(runs).toBeGreaterThan(0);
});
