import { expect, test } from "bun:test";
import { stat } from "node:fs/promises";
import { silentLog } from "../lib/log";
import { withDatabaseFile } from "../tests/db/temporary";
import { appendAudit, listAudit } from "./audit";
import { keepCheckpointed } from "./checkpoint";
import { openDb } from "./client";
import { migrate } from "./migrate";

test("one process at a time empties the log, and another takes over when it stops", async () => {
  await withDatabaseFile(async (file) => {
    const db = await openDb({ url: `file:${file}` }, silentLog());
    await migrate(db);
    const walBytes = async () => (await stat(`${file}-wal`)).size;
    const fill = async () => {
      const detail = { text: "x".repeat(1_000_000) };
      for (let n = 0; n < 5; n++) {
        await db.write((tx) => appendAudit(tx, { actor: "test", action: "add", target: "long", detail }));
      }
    };
    const one = keepCheckpointed(db, file, silentLog());
    const two = keepCheckpointed(db, file, silentLog());

    await fill();
    await one.checkpointWhenLong();
    expect(await walBytes()).toBe(0);

    await fill();
    await two.checkpointWhenLong();
    expect(await walBytes()).toBeGreaterThan(4_000_000);

    await one.stop();
    await two.checkpointWhenLong();
    expect(await walBytes()).toBe(0);
    expect(await listAudit(db, "long", 100)).toHaveLength(10);
    await two.stop();
    await db.close();
  });
});
