import { createHash } from "node:crypto";
import { Value } from "@sinclair/typebox/value";
import type { Db, Tx } from "../../db/client";
import * as store from "../../db/conversations";
import { AppError } from "../../lib/errors";
import { assertMayStore } from "../content-logging";
import { download } from "../http/download";
import { newId } from "../ids";
import type { Principal } from "../principal";
import {
  AnswerDetail,
  type ConversationExport,
  type ExportedConversation,
  type ExportFormat,
  type ImportResult,
} from "./contract";

/** Conversations of a key out of the database and back into it. */
export const createTransfer = ({ db, now = () => new Date() }: { db: Db; now?: () => Date }) => {
  const exportRow = async (row: store.ConversationRow): Promise<ExportedConversation> => ({
    id: row.id,
    title: row.title,
    model: row.model,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
    messages: (await store.listMessages(db, row.id)).map(({ role, content, status, detail, createdAt }) => ({
      role,
      content,
      // The file holds what there is now; nobody will go on with it.
      status: status === "generating" ? "interrupted" : status,
      detail: Value.Check(AnswerDetail, detail) ? detail : null,
      created_at: createdAt.toISOString(),
    })),
  });

  const importOne = async (tx: Tx, keyId: string, file: ExportedConversation): Promise<keyof ImportResult> => {
    const at = now();
    const holder = await store.findHolder(tx, file.id);
    const id = holder === undefined || holder === keyId ? file.id : idFor(keyId, file.id);
    const isNew = holder === undefined || (holder !== keyId && (await store.findHolder(tx, id)) === undefined);
    const stored = isNew ? [] : await store.listMessages(tx, id);
    if (!isNew && !isContinued(stored, file.messages)) return "skipped";
    if (isNew) {
      const createdAt = timeOf(file.created_at, at);
      const updatedAt = timeOf(file.updated_at, at);
      await store.insertConversation(tx, { id, keyId, title: file.title, model: file.model, createdAt, updatedAt });
    }
    const added = file.messages.slice(stored.length).map((message) => ({
      id: newId("msg"),
      role: message.role,
      content: message.content,
      status: message.status ?? ("complete" as const),
      detail: message.detail ?? null,
      createdAt: timeOf(message.created_at, at),
    }));
    await store.appendMessages(tx, id, added, isNew ? timeOf(file.updated_at, at) : at);
    return isNew ? "imported" : "extended";
  };

  return {
    /** One conversation. Throws not_found. */
    async exportOne(principal: Principal, id: string, format?: ExportFormat): Promise<Response> {
      const row = await store.findConversation(db, principal.keyId, id);
      if (!row) throw new AppError("not_found", "There is no such conversation, or it was deleted.");
      return toFile([await exportRow(row)], format, row.id);
    },

    /** All of the caller's conversations, last changed first. */
    async exportAll(principal: Principal, format?: ExportFormat): Promise<Response> {
      const exported: ExportedConversation[] = [];
      for (let cursor: store.Cursor | undefined; ; ) {
        const rows = await store.listConversations(db, principal.keyId, { limit: PAGE, cursor });
        for (const row of rows) exported.push(await exportRow(row));
        cursor = rows.at(-1);
        if (rows.length < PAGE) return toFile(exported, format, "conversations");
      }
    },

    /**
     * Takes an export in, all of it or nothing. The same file again adds nothing; a conversation that has gone on in the
     * file gets what is missing; one that has changed since is left alone. Throws insufficient_role for a key whose
     * content may not be kept.
     */
    async importAll(principal: Principal, { conversations }: ConversationExport): Promise<ImportResult> {
      assertMayStore(principal, "conversations", "Use POST /v1/chat, which keeps nothing.");
      return db.write(async (tx) => {
        const result: ImportResult = { imported: 0, extended: 0, skipped: 0 };
        for (const file of conversations) result[await importOne(tx, principal.keyId, file)] += 1;
        return result;
      });
    },
  };
};

export type ConversationTransfer = ReturnType<typeof createTransfer>;

const PAGE = 100;

/** The id of another key's conversation as this key's own: always the same, so that a second import finds the first. */
const idFor = (keyId: string, id: string): string =>
  `chat_${createHash("sha256").update(`${keyId} ${id}`).digest("hex").slice(0, 32)}`;

const timeOf = (text: string | undefined, otherwise: Date): Date => (text === undefined ? otherwise : new Date(text));

/** True when `file` begins with all that is stored and has more. */
const isContinued = (stored: readonly store.MessageRow[], file: ExportedConversation["messages"]): boolean =>
  file.length > stored.length &&
  stored.every(({ role, content }, i) => role === file[i]?.role && content === file[i]?.content);

const SPEAKERS = { system: "System", user: "You", assistant: "Answer" } as const;

const toMarkdown = ({ title, model, messages }: ExportedConversation): string =>
  [`# ${title}`, `Model: ${model}`, ...messages.map(({ role, content }) => `## ${SPEAKERS[role]}\n\n${content}`)].join(
    "\n\n",
  );

const toFile = (conversations: ExportedConversation[], format: ExportFormat = "json", name: string): Response => {
  const file: ConversationExport = { version: 1, conversations };
  const [text, type, ending] =
    format === "json"
      ? [JSON.stringify(file, null, 2), "application/json", "json"]
      : [`${conversations.map(toMarkdown).join("\n\n---\n\n")}\n`, "text/markdown", "md"];
  return download(text, type, `${name}.${ending}`);
};
