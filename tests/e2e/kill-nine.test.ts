import { expect, test } from "bun:test";
import { brokenBy, killNine } from "../faults/kill-nine";

test("kill -9 of gateway and worker during uploads and evaluations loses no acknowledged write", async () => {
  const report = await killNine(12);
  expect([brokenBy(report), report]).toEqual([[], report]);
});
