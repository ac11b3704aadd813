import { expect, test } from "bun:test";
import { temporaryDb } from "../tests/db/temporary";
import { appendMessages, findConversation, insertConversation, listMessages, saveAnswer } from "./conversations";
import { insertKey } from "./keys";

const ASKED = new Date("2026-11-23T12:00:00.000Z");
const ENDED = new Date("2026-11-23T12:00:05.000Z");
const LATE = new Date("2026-11-23T12:00:06.000Z");

test("a save that comes after an answer's end changes nothing", async () => {
  const db = await temporaryDb();
  const answer = {
    id: "msg_1",
    parentId: null,
    role: "assistant",
    content: "",
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
