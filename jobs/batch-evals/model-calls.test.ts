import { describe, expect, test } from "bun:test";
import { AppError, type ErrorKind } from "../../lib/errors";
import { CallLimiter } from "./call-limiter";
import { ModelCalls } from "./model-calls";
import { RunStopped } from "./stops";

const open = new AbortController().signal;

interface SendOptions {
  checkKey?: () => Promise<void>;
  clock?: () => number;
  areIndependent?: boolean;
}

/** Calls that fail with these errors one after the other, then succeed. Pauses take no time. */
const send = async (
  kinds: readonly (ErrorKind | AppError)[],
  { checkKey = async () => {}, clock = () => 0, areIndependent = false }: SendOptions = {},
) => {
  const limiter = new CallLimiter(8);
  const calls = new ModelCalls({ limiter, checkKey, areIndependent, monotonicMs: clock, random: () => 0 });
  let attempts = 0;
  const answer = async () => {
    const kind = kinds[attempts - 1];
    if (kind) throw kind instanceof AppError ? kind : new AppError(kind, "No.");
    return "answer";
  };
  const count = () => {
    attempts++;
  };
  const outcome = await calls.send(open, answer, () => null, count).catch((error: unknown) => error);
  return { outcome, attempts };
};

const many = (kind: ErrorKind, times = 30): ErrorKind[] => Array.from({ length: times }, () => kind);

describe("a call", () => {
  test.each<ErrorKind>(["rate_limited", "overloaded", "unavailable", "model_loading", "budget_exceeded"])(
    "waits as long as it takes after %s",
    async (kind) => {
      expect(await send(many(kind))).toEqual({ outcome: "answer", attempts: 31 });
    },
  );

  test.each<[ErrorKind, number]>([
    ["upstream_error", 5],
    ["internal", 3],
    ["deadline_exceeded", 2],
    ["invalid_request", 1],
    ["context_length_exceeded", 1],
  ])("that ends with %s is tried %i times", async (kind, most) => {
    const { outcome, attempts } = await send(many(kind));
    expect([(outcome as AppError).kind, attempts]).toEqual([kind, most]);
  });

  test("J7: doesn't use up its attempts while it waits, so a node's restart doesn't fail any sample", async () => {
    const kinds: ErrorKind[] = [...many("unavailable"), "upstream_error", "model_loading", "upstream_error"];
    expect(await send(kinds)).toEqual({ outcome: "answer", attempts: 34 });
    const outcomes = await send([...many("unavailable"), ...many("upstream_error")]);
    expect([(outcomes.outcome as AppError).kind, outcomes.attempts]).toEqual(["upstream_error", 35]);
  });

  test.each<ErrorKind>(["budget_exhausted", "model_not_found", "insufficient_role"])(
    "that ends with %s stops the run",
    async (kind) => {
      const { outcome, attempts } = await send(many(kind));
      expect(outcome).toBeInstanceOf(RunStopped);
      expect([(outcome as RunStopped).error.kind, attempts]).toEqual([kind, 1]);
    },
  );

  test("stops the run for an invalid key only if the key itself is invalid, not the worker's token", async () => {
    expect((await send(many("invalid_api_key", 3))).outcome).toBe("answer");
    const checkKey = async () => {
      throw new AppError("invalid_api_key", "This API key was revoked.");
    };
    const { outcome } = await send(many("invalid_api_key"), { checkKey });
    expect((outcome as RunStopped).error.message).toBe("This API key was revoked.");
  });

  test("stops the run after 15 minutes in which no call succeeded", async () => {
    let minutes = 0;
    const { outcome, attempts } = await send(many("unavailable"), { clock: () => 60_000 * minutes++ });
    expect(attempts).toBe(15);
    expect((outcome as RunStopped).error.message).toContain("Resume the run");
  });

  test("stops the run if its budget frees later than that", async () => {
    const { outcome, attempts } = await send([
      new AppError("budget_exceeded", "Try again after 2026-12-01 00:00 UTC.", { retryAfterMs: 86_400_000 }),
    ]);
    expect(attempts).toBe(1);
    expect((outcome as RunStopped).error.message).toBe("Try again after 2026-12-01 00:00 UTC. Resume the run then.");
  });

  test("that waits for its next attempt ends with the reason of the signal", async () => {
    const stop = new AbortController();
    const calls = new ModelCalls({ limiter: new CallLimiter(1), checkKey: async () => {} });
    const refuse = async () => {
      setTimeout(() => stop.abort("paused"), 1);
      throw new AppError("rate_limited", "No.", { retryAfterMs: 60_000 });
    };
    const outcome = await calls
      .send(
        stop.signal,
        refuse,
        () => null,
        () => {},
      )
      .catch((reason) => reason);
    expect(outcome).toBe("paused");
  });
});

describe("an independent call", () => {
  const areIndependent = true;

  test.each<ErrorKind>(["budget_exhausted", "model_not_found", "insufficient_role"])(
    "that ends with %s stops no other call",
    async (kind) => {
      const { outcome, attempts } = await send(many(kind), { areIndependent });
      expect([outcome instanceof AppError && outcome.kind, attempts]).toEqual([kind, 1]);
    },
  );

  test("waits for hours", async () => {
    let hours = 0;
    const clock = () => 3_600_000 * hours++;
    expect(await send(many("unavailable"), { areIndependent, clock })).toEqual({ outcome: "answer", attempts: 31 });
  });

  test("stops with all other calls if the key is invalid", async () => {
    const checkKey = async () => {
      throw new AppError("invalid_api_key", "This API key was revoked.");
    };
    expect((await send(many("invalid_api_key"), { checkKey, areIndependent })).outcome).toBeInstanceOf(RunStopped);
  });
});
