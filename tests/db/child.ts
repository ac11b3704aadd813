/**
 * A separate process on a database file, for the fault tests: `bun tests/db/child.ts FILE LOCK_WAIT_MS`. It reads
 * commands from stdin, one JSON object per line, and answers each with a line on stdout.
 */
import { appendAudit } from "../../db/audit";
import { openDb } from "../../db/client";
import { migrate } from "../../db/migrate";
import { AppError } from "../../lib/errors";
import { silentLog } from "../../lib/log";
import type { Answer, Command } from "./process";
import { replace } from "./rag";
import { STEPS } from "./repositories";
import { patiently } from "./steps/step";

const [file, lockWaitMs] = process.argv.slice(2);
const db = await openDb({ url: `file:${file}`, lockWaitMs: Number(lockWaitMs) }, silentLog());

const say = (answer: Answer): void => {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
};

const kindOf = (thrown: unknown): string => (thrown instanceof AppError ? thrown.kind : String(thrown));

/** Calls every repository function that writes, in parallel, and returns the outcomes. */
const attemptAll = async (tag: string): Promise<string[]> => {
  const outcomes = await Promise.allSettled(STEPS.map((step) => step.write(db, tag)));
  return outcomes.map((outcome) => (outcome.status === "fulfilled" ? "written" : kindOf(outcome.reason)));
};

const obey = async (command: Command): Promise<void> => {
  switch (command.do) {
    case "migrate":
      await migrate(db);
      return say({ done: "migrate" });
    case "attempt":
      return say({ done: "attempt", outcomes: await attemptAll(command.tag) });
    case "write":
      for (const step of STEPS) await patiently(() => step.write(db, command.tag));
      return say({ done: "write" });
    case "hold":
      await db.write(async () => {
        say({ done: "held" });
        await Bun.sleep(command.ms);
      });
      return say({ done: "hold" });
    case "append":
      for (let n = 0; ; n++) {
        await db.write((tx) =>
          appendAudit(tx, { actor: "child", action: "append", target: command.tag, detail: { n } }),
        );
        say({ done: "append", n });
      }
    case "replace":
      for (let n = 0; ; n++) {
        await replace(db, command.tag, n);
        say({ done: "replace", n });
      }
  }
};

say({ done: "open" });
for await (const line of console) {
  await obey(JSON.parse(line)).catch((error) => say({ done: "failed", error: kindOf(error), message: String(error) }));
}
