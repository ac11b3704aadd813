import { appendAudit, listAudit } from "../../../db/audit";
import type { Db } from "../../../db/client";
import * as conversations from "../../../db/conversations";
import * as keys from "../../../db/keys";
import { releaseLease, takeLease } from "../../../db/leases";
import * as sessions from "../../../db/sessions";
import { AT, LATER, type Step, type StepGroup } from "./step";

const hash = (tag: string, what: string): Buffer => new Bun.CryptoHasher("sha256").update(`${tag} ${what}`).digest();
const keyOf = (tag: string): string => `key_${tag}`;
const message = (tag: string, n: number, status: "complete" | "generating" = "complete") => ({
  id: `msg_${tag}_${n}`,
  parentId: n === 0 ? null : `msg_${tag}_${n - 1}`,
  role: "user" as const,
  content: `message ${n}`,
  reasoning: null,
  toolCalls: null,
  status,
  detail: null,
});

const steps: readonly Step[] = [
  {
    name: "insertKey",
    write: (db, tag) =>
      db.write((tx) =>
        keys.insertKey(tx, { id: keyOf(tag), name: tag, role: "admin", secretHash: hash(tag, "key"), createdAt: AT }),
      ),
  },
  { name: "updateKey", write: (db, tag) => db.write((tx) => keys.updateKey(tx, keyOf(tag), { name: `${tag}!` })) },
  { name: "recordKeyUse", write: (db, tag) => keys.recordKeyUse(db, new Map([[keyOf(tag), LATER]])) },
  {
    name: "appendAudit",
    write: (db, tag) =>
      db.write(async (tx) => {
        await appendAudit(tx, { at: AT, actor: "test", action: "key.create", target: keyOf(tag) });
        const actor = { keyId: keyOf(tag), requestId: `req_${tag}` };
        await appendAudit(tx, { at: LATER, actor, action: "key.update", target: keyOf(tag), detail: { name: "x" } });
      }),
  },
  {
    name: "insertSession",
    write: (db, tag) =>
      db.write(async (tx) => {
        const row = { keyId: keyOf(tag), createdAt: AT, lastSeenAt: AT, expiresAt: new Date("2099-01-01") };
        await sessions.insertSession(tx, { ...row, idHash: hash(tag, "session 1") });
        await sessions.insertSession(tx, { ...row, idHash: hash(tag, "session 2") });
      }),
  },
  {
    name: "recordSessionUse",
    write: (db, tag) =>
      sessions.recordSessionUse(db, new Map([[hash(tag, "session 1").toString("base64"), LATER]]), new Date(0)),
  },
  {
    name: "revokeSession",
    write: (db, tag) => db.write((tx) => sessions.revokeSession(tx, hash(tag, "session 1"), AT)),
  },
  { name: "revokeSessions", write: (db, tag) => db.write((tx) => sessions.revokeSessions(tx, keyOf(tag), LATER)) },
  {
    name: "insertSignInToken",
    write: (db, tag) =>
      db.write((tx) =>
        sessions.insertSignInToken(tx, { tokenHash: hash(tag, "token"), keyId: keyOf(tag), expiresAt: LATER }),
      ),
  },
  { name: "useSignInToken", write: (db, tag) => db.write((tx) => sessions.useSignInToken(tx, hash(tag, "token"), AT)) },
  { name: "takeLease", write: (db, tag) => takeLease(db, tag, "holder", AT, 1000) },
  { name: "releaseLease", write: (db, tag) => releaseLease(db, tag, "holder") },
  {
    name: "insertConversation",
    write: (db, tag) =>
      db.write(async (tx) => {
        const row = { keyId: keyOf(tag), title: "first", model: "m", updatedAt: AT };
        await conversations.insertConversation(tx, { ...row, id: `conv_${tag}` });
        await conversations.insertConversation(tx, { ...row, id: `conv_${tag}_deleted` });
      }),
  },
  {
    name: "appendMessages",
    write: (db, tag) =>
      db.write((tx) =>
        conversations.appendMessages(tx, `conv_${tag}`, [message(tag, 0), message(tag, 1, "generating")], AT),
      ),
  },
  {
    name: "saveAnswer",
    write: (db, tag) =>
      db.write((tx) =>
        conversations.saveAnswer(
          tx,
          { ...message(tag, 1), conversationId: `conv_${tag}`, content: "saved", status: "stopped" },
          LATER,
        ),
      ),
  },
  {
    name: "deleteMessages",
    write: (db, tag) => db.write((tx) => conversations.deleteMessages(tx, `conv_${tag}`, [`msg_${tag}_0`], null)),
  },
  {
    name: "showBranch",
    write: (db, tag) => db.write((tx) => conversations.showBranch(tx, `conv_${tag}`, `msg_${tag}_1`)),
  },
  {
    name: "updateConversation",
    write: (db, tag) => db.write((tx) => conversations.updateConversation(tx, `conv_${tag}`, { title: "renamed" })),
  },
  {
    name: "deleteConversation",
    write: (db, tag) => db.write((tx) => conversations.deleteConversation(tx, `conv_${tag}_deleted`)),
  },
  {
    name: "saveCacheNamespace",
    write: (db, tag) =>
      db.write((tx) => keys.saveCacheNamespace(tx, { name: tag, enabled: false, keyIds: [keyOf(tag)], updatedAt: AT })),
  },
];

const stateOf = async (db: Db, tag: string) => {
  const key = await keys.findKey(db, keyOf(tag));
  const sameKey = await keys.findKeyByHash(db, hash(tag, "key"));
  const first = await sessions.findSession(db, hash(tag, "session 1"));
  const second = await sessions.findSession(db, hash(tag, "session 2"));
  const found = await conversations.listConversations(db, keyOf(tag), { limit: 10 });
  const messages = await conversations.listMessages(db, `conv_${tag}`);
  const namespaces = await keys.listCacheNamespaces(db);
  return {
    key: key && { name: key.name, lastUsedAt: key.lastUsedAt, foundByHash: sameKey?.id === key.id },
    audit: (await listAudit(db, keyOf(tag), 10)).map(({ action, at, actorName, requestId }) => ({
      ...{ action, at, actorName, requestId },
    })),
    sessions: [first, second].map((row) => row && [row.session.lastSeenAt, row.session.revokedAt]),
    isTokenUsable: await isTokenUsable(db, tag),
    isLeaseFree: await takeLease(db, tag, "another", AT, 0),
    conversations: found.map(({ title, messageCount, updatedAt, leafId }) => ({
      title,
      messageCount,
      updatedAt,
      leafId,
    })),
    messages: messages.map(({ content, status, position, parentId }) => ({ content, status, position, parentId })),
    namespaces: namespaces.filter(({ name }) => name === tag).map(({ enabled, keyIds }) => ({ enabled, keyIds })),
  };
};

/** Tries the token in a transaction that is rolled back. */
const isTokenUsable = async (db: Db, tag: string): Promise<boolean> => {
  const outcome = new Error("rolled back");
  let keyId: string | undefined;
  const attempt = db.write(async (tx) => {
    keyId = await sessions.useSignInToken(tx, hash(tag, "token"), AT);
    throw outcome;
  });
  await attempt.catch((error) => {
    if (error !== outcome) throw error;
  });
  return keyId !== undefined;
};

const finalState = (tag: string): Awaited<ReturnType<typeof stateOf>> => ({
  key: { name: `${tag}!`, lastUsedAt: LATER, foundByHash: true },
  audit: [
    { action: "key.update", at: LATER, actorName: `${tag}!`, requestId: `req_${tag}` },
    { action: "key.create", at: AT, actorName: null, requestId: null },
  ],
  sessions: [
    [LATER, AT],
    [AT, LATER],
  ],
  isTokenUsable: false,
  isLeaseFree: true,
  conversations: [{ title: "renamed", messageCount: 1, updatedAt: LATER, leafId: `msg_${tag}_1` }],
  messages: [{ content: "saved", status: "stopped", position: 1, parentId: null }],
  namespaces: [{ enabled: false, keyIds: [keyOf(tag)] }],
});

/** Keys, sessions, conversations and maintenance. */
export const accessSteps: StepGroup = { steps, stateOf, finalState };
