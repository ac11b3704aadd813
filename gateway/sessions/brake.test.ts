import { expect, test } from "bun:test";
import { AppError } from "../../lib/errors";
import { SignInBrake } from "./brake";

let nowMs = 0;
const brake = new SignInBrake(() => nowMs);
const problemOf = (address: string): AppError | undefined => {
  try {
    brake.check(address);
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
};

test("thirty failures in a minute block only that address, until the first failure is a minute old", () => {
  for (let tries = 0; tries < 30; tries++) {
    expect(problemOf("10.0.0.1")).toBeUndefined();
    brake.failed("10.0.0.1");
    nowMs += 1000;
  }
  expect(problemOf("10.0.0.1")).toMatchObject({ kind: "rate_limited", detail: { retryAfterMs: 30_000 } });
  expect(problemOf("10.0.0.1")?.message).toContain("Try again in 30 s.");
  expect(problemOf("10.0.0.2")).toBeUndefined();
  nowMs += 30_000;
  expect(problemOf("10.0.0.1")).toBeUndefined();
  brake.failed("10.0.0.1");
  expect(problemOf("10.0.0.1")).toMatchObject({ detail: { retryAfterMs: 1000 } });
});

test("however many addresses fail, the latest ones are remembered", () => {
  for (let host = 0; host < 20_000; host++) brake.failed(`host-${host}`);
  for (let tries = 1; tries < 30; tries++) brake.failed("host-19999");
  expect(problemOf("host-19999")).toBeDefined();
});
