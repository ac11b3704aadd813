import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { AppError } from "../../../lib/errors";
import { until } from "../../../tests/until";
import type { Priority } from "../../protocol";
import { type TextJob, TextScheduler, type TextWorker } from "./text-scheduler";

type Job = TextJob<number>;
type Worker = TextWorker<number, { tokens: number }>;

/** A worker whose outputs the test releases one by one. `begun` lists the inputs that have started. */
const held = () => {
  const begun: number[] = [];
  const waiting: (() => void)[] = [];
  const worker: Worker = async (tokens) => {
    begun.push(tokens);
    await new Promise<void>((resolve) => waiting.push(resolve));
    return { tokens };
  };
  return { worker, begun, release: () => waiting.shift()?.() };
};

const job = (inputs: number[], changes: Partial<Job> = {}): Job => ({
  inputs,
  priority: "interactive",
  fairKey: "key",
  signal: new AbortController().signal,
  isAnswering: () => false,
  ...changes,
});

/** Releases inputs one by one until all jobs are done, and returns the order in which they started. */
const order = async (jobs: Job[]): Promise<number[]> => {
  const { worker, begun, release } = held();
  const scheduler = new TextScheduler([worker]);
  const all = Promise.all(jobs.map((each) => Array.fromAsync(scheduler.run(each))));
  for (let done = 1; done <= jobs.flatMap(({ inputs }) => inputs).length; done++) {
    await until(`input ${done} is begun`, () => begun.length === done);
    release();
  }
  await all;
  return begun;
};

describe("TextScheduler", () => {
  test("runs interactive inputs before batch inputs, and callers in turn", async () => {
    const batch = job([1, 2, 3], { priority: "batch", fairKey: "a" });
    // The first input of the first job has started when the others arrive.
    expect(await order([batch, job([4, 5, 6], { fairKey: "a" }), job([7], { fairKey: "b" })])).toEqual([
      1, 4, 7, 5, 6, 2, 3,
    ]);
  });

  test("returns the output of every input once, for any number of workers and jobs", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(
          fc.record({
            sizes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 }),
            priority: fc.constantFrom<Priority>("interactive", "batch"),
            fairKey: fc.constantFrom("a", "b"),
          }),
          { maxLength: 5 },
        ),
        async (workers, jobs) => {
          let running = 0;
          let most = 0;
          const worker: Worker = async (tokens) => {
            most = Math.max(most, ++running);
            await Promise.resolve();
            running--;
            return { tokens };
          };
          const scheduler = new TextScheduler(Array<Worker>(workers).fill(worker));
          const results = await Promise.all(
            jobs.map(({ sizes, ...rest }) => Array.fromAsync(scheduler.run(job(sizes, rest)))),
          );
          expect(most).toBeLessThanOrEqual(workers);
          for (const [place, { sizes }] of jobs.entries()) {
            const inOrder = results[place]?.toSorted((a, b) => a.index - b.index);
            expect(inOrder?.map(({ tokens }) => tokens)).toEqual(sizes);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test("when a caller disconnects, its job stops after the current input", async () => {
    const { worker, begun, release } = held();
    const scheduler = new TextScheduler([worker]);
    const leaving = new AbortController();
    const left = Array.fromAsync(scheduler.run(job([1, 2, 3], { signal: leaving.signal })));
    const stays = Array.fromAsync(scheduler.run(job([4])));
    leaving.abort(new AppError("client_closed", "gone"));
    await expect(left).rejects.toThrow("gone");
    release();
    await until("the next caller's input is begun", () => begun.length === 2);
    release();
    expect([await stays, begun]).toMatchObject([[{ index: 0, tokens: 4 }], [1, 4]]);
  });

  test("a reader that stops early ends its job", async () => {
    const { worker, begun, release } = held();
    const scheduler = new TextScheduler([worker]);
    const running = scheduler.run(job([1, 2, 3]));
    const first = running.next();
    release();
    await first;
    await running.return(undefined);
    release();
    await scheduler.close();
    expect(begun.length).toBeLessThanOrEqual(2);
  });

  test("a failed input only ends its own job", async () => {
    const worker: Worker = async (tokens) => {
      if (tokens === 2) throw new Error("bad");
      return { tokens };
    };
    const scheduler = new TextScheduler([worker]);
    const [failed, whole] = await Promise.allSettled([
      Array.fromAsync(scheduler.run(job([1, 2, 3]))),
      Array.fromAsync(scheduler.run(job([4, 5]))),
    ]);
    expect(failed).toMatchObject({ status: "rejected", reason: { kind: "unavailable" } });
    expect(whole.status).toBe("fulfilled");
  });

  test("while answers are generated, a worker that shares cores with the engine rests before the next input", async () => {
    const { worker, begun, release } = held();
    const rests: (() => void)[] = [];
    const scheduler = new TextScheduler([worker], () => new Promise((resolve) => rests.push(resolve)));
    let isAnswering = true;
    const running = Array.fromAsync(scheduler.run(job([1, 2, 3], { isAnswering: () => isAnswering })));
    release();
    await until("it rests", () => rests.length === 1);
    expect(begun).toEqual([1]);
    isAnswering = false;
    rests[0]?.();
    await until("it resumes", () => begun.length === 2);
    release();
    await until("the round ends without an answer, so it doesn't rest", () => begun.length === 3);
    release();
    expect(await running).toHaveLength(3);
  });

  test("closing ends running jobs and rejects new ones", async () => {
    const { worker, release } = held();
    const scheduler = new TextScheduler([worker]);
    const running = Array.fromAsync(scheduler.run(job([1, 2])));
    const closed = scheduler.close();
    await expect(running).rejects.toThrow("shutting down");
    release();
    await closed;
    await expect(Array.fromAsync(scheduler.run(job([3])))).rejects.toThrow("shutting down");
  });
});
