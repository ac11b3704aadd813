import { expect, test } from "bun:test";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { silentLog } from "../lib/log";
import { temporaryDb } from "../tests/db/temporary";
import { openDb } from "./client";
import { appendMessages, findConversation, insertConversation, listMessages, saveAnswer } from "./conversations";
import { insertKey } from "./keys";
import { migrate } from "./migrate";

const ASKED = new Date("2026-11-23T12:00:00.000Z");
const ENDED = new Date("2026-11-23T12:00:05.000Z");
const LATE = new Date("2026-11-23T12:00:06.000Z");

test("a late save of a finished answer changes nothing", async () => {
  const db = await temporaryDb();
  const answer = {
    id: "msg_1",
    parentId: null,
    role: "assistant",
    content: "",
    reasoning: null,
    toolCalls: null,
    status: "generating",
    detail: null,
  } as const;
  await db.write(async (tx) => {
    await insertKey(tx, { id: "key_a", name: "a", role: "member", secretHash: Buffer.from("a"), createdAt: ASKED });
    await insertConversation(tx, { id: "chat_1", keyId: "key_a", title: "t", model: "m", updatedAt: ASKED });
    await appendMessages(tx, "chat_1", [answer], ASKED);
  });
  const save = (content: string, status: "complete" | "generating", at: Date) =>
    db.write((tx) => saveAnswer(tx, { ...answer, conversationId: "chat_1", content, status }, at));

  await save("whole", "complete", ENDED);
  await save("half", "generating", LATE);

  expect(await listMessages(db, "chat_1")).toMatchObject([{ content: "whole", status: "complete" }]);
  expect((await findConversation(db, "key_a", "chat_1"))?.updatedAt).toEqual(ENDED);
  await db.close();
});

test("conversations stored before branches existed become one branch each, and only the newest of repeated feedback is kept", async () => {
  const folder = await mkdtemp(join(tmpdir(), "groundwire-branches-"));
  await cp(join(import.meta.dir, "migrations"), folder, { recursive: true });
  const journal = join(folder, "meta/_journal.json");
  const { entries, ...rest } = JSON.parse(await readFile(journal, "utf8"));
  await writeFile(journal, JSON.stringify({ ...rest, entries: entries.slice(0, 3) }));
  const db = await openDb({ url: ":memory:" }, silentLog());
  await migrate(db, folder);
  await db.write(async (tx) => {
    // Not `insertKey`, because that also writes columns of later versions.
    await tx.run(sql`INSERT INTO keys (id, name, role, secret_hash) VALUES ('key_a', 'a', 'member', x'61')`);
    await tx.run(
      sql`INSERT INTO conversations (id, key_id, title, model, updated_at) VALUES ('chat_1', 'key_a', 't', 'm', 0), ('chat_2', 'key_a', 't', 'm', 0)`,
    );
    for (const [id, chat, position] of [
      ["a", 1, 0],
      ["x", 2, 0],
      ["b", 1, 2],
      ["y", 2, 1],
      ["c", 1, 3],
    ]) {
      await tx.run(
        sql`INSERT INTO messages (id, conversation_id, position, role, content, status) VALUES (${id}, ${`chat_${chat}`}, ${position}, 'user', '', 'complete')`,
      );
    }
    for (const [id, rating, by, at] of [
      ["1", "up", "a", 1],
      ["2", "down", "a", 2],
      ["3", "up", "b", 1],
    ]) {
      await tx.run(
        sql`INSERT INTO feedback (id, request_id, rating, given_by, created_at) VALUES (${id}, 'req', ${rating}, ${by}, ${at})`,
      );
    }
  });

  await migrate(db);

  const parents = async (id: string) => (await listMessages(db, id)).map(({ id, parentId }) => [id, parentId]);
  expect(await parents("chat_1")).toEqual([
    ["a", null],
    ["b", "a"],
    ["c", "b"],
  ]);
  expect(await parents("chat_2")).toEqual([
    ["x", null],
    ["y", "x"],
  ]);
  expect(await db.all(sql`SELECT id FROM feedback ORDER BY id`)).toEqual([{ id: "2" }, { id: "3" }]);
  await db.close();
  await rm(folder, { recursive: true, force: true });
});
