import { expect, test } from "bun:test";
import { AppError } from "../../lib/errors";
import { silentLog } from "../../lib/log";
import { problemOf } from "../../tests/db/temporary";
import { RunTransactions } from "./run-transactions";

const failing = (error: AppError, isStopping = () => false) => {
  let tries = 0;
  const transactions = new RunTransactions({
    context: {
      write: async () => {
        tries++;
        throw error;
      },
    },
    ...{ runId: "run_1", jobId: "job_1", log: silentLog(), counts: { load: () => {} }, isStopping, pauseMs: 0 },
  });
  return problemOf(transactions.run(async () => {})).then(({ kind, message }) => ({ kind, message, tries }));
};

test("a disk that stays full stops the run, and the error says what to do", async () => {
  expect(await failing(new AppError("storage_full", "Full."))).toEqual({
    kind: "storage_full",
    message: expect.stringContaining("Free some space, then resume the run"),
    tries: 60,
  });
});

test("a run that is stopping doesn't wait for the database", async () => {
  expect((await failing(new AppError("unavailable", "Locked."), () => true)).tries).toBe(1);
});

test("other errors are not retried", async () => {
  expect((await failing(new AppError("internal", "Broken."))).tries).toBe(1);
});
