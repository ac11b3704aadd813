import { expect, test } from "bun:test";
import { timingDifference } from "../../tests/key-timing";

test("K3: a wrong secret with a known id takes as long as an unknown key (Welch's t under 4.5)", async () => {
  expect(Math.abs(await timingDifference(10_000))).toBeLessThan(4.5);
}, 60_000);
