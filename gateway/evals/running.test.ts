import { expect, test } from "bun:test";
import { PRINCIPAL } from "../../tests/principal";
import { ActiveRequests } from "../active-requests";
import type { EvaluateRequest, Evaluation } from "./contract";
import { RunningEvals, StoppedByReader } from "./running";

const REQUEST: EvaluateRequest = { sample: { input: "Who?", references: ["Ada"] } };
const EVALUATION = {} as Evaluation;

/** Evaluations that end when the test ends them, or when they are aborted. */
const startRunning = () => {
  const ends: (() => void)[] = [];
  const running = new RunningEvals({
    activeRequests: new ActiveRequests(),
    evals: {
      evaluate: ({ signal }) =>
        new Promise((resolve, reject) => {
          ends.push(() => resolve(EVALUATION));
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
    },
  });
  const start = (request = REQUEST, keyId = PRINCIPAL.keyId) =>
    running.start({ principal: { ...PRINCIPAL, keyId } } as never, request, "Who?");
  return { running, start, ends };
};

test("submitting a form again while its evaluation runs joins the running evaluation", async () => {
  const { start, ends } = startRunning();
  const [first, again] = [start(), start(structuredClone(REQUEST))];
  expect(again).toBe(first);
  expect(ends).toHaveLength(1);
  ends[0]?.();
  expect(await again.done).toBe(EVALUATION);
  expect(start()).not.toBe(first);
});

test("a key's running evaluations are listed until they end", async () => {
  const { running, start, ends } = startRunning();
  const first = start();
  start({ ...REQUEST, seed: 1 });
  start(REQUEST, "key_other");
  expect(running.of(PRINCIPAL.keyId).map(({ name, stage }) => [name, stage.step])).toEqual([
    ["Who?", "preparing"],
    ["Who?", "preparing"],
  ]);
  ends[0]?.();
  await first.done;
  expect(running.of(PRINCIPAL.keyId)).toHaveLength(1);
});

test("a different request or key starts a separate evaluation", () => {
  const { start, ends } = startRunning();
  start();
  start({ ...REQUEST, seed: 1 });
  start(REQUEST, "key_other");
  expect(ends).toHaveLength(3);
});

test("only the key that started an evaluation can stop it, and submitting the same form again then starts a new one", async () => {
  const { running, start, ends } = startRunning();
  const { id, done } = start();
  expect(running.stop("key_other", id)).toBe(false);
  expect(running.stop(PRINCIPAL.keyId, id)).toBe(true);
  expect(await done.catch((error) => error)).toBeInstanceOf(StoppedByReader);
  expect(running.stop(PRINCIPAL.keyId, id)).toBe(false);
  start();
  expect(ends).toHaveLength(2);
});
