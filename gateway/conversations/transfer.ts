import { createHash } from "node:crypto";
import { Value } from "@sinclair/typebox/value";
import type { Db, Tx } from "../../db/client";
import type { TimeCursor } from "../../db/conditions";
import * as store from "../../db/conversations";
import { AppError } from "../../lib/errors";
import { newId } from "../../lib/ids";
import { indentJson } from "../../lib/indent-json";
import { assertTools } from "../chat/capabilities";
import type { ToolCall } from "../chat/message";
import { assertMayStore } from "../content-logging";
import type { Principal } from "../principal";
import type { Indexes } from "../rag/indexes/service";
import { fromRow } from "../wire";
import { branchTo } from "./branches";
import {
  AnswerDetail,
  type AnswerEvidence,
  type ConversationExport,
  ExportedConversation,
  ExportedMessage,
  type ExportFormat,
  type ImportResult,
} from "./contract";
import { withoutGone } from "./evidence";
import { toConversation } from "./wire";

interface TransferDeps {
  db: Db;
  indexes: Pick<Indexes, "visibleDocuments">;
  now?: () => Date;
}

/** Exports and imports the conversations of a key. */
export const createTransfer = ({ db, indexes, now = () => new Date() }: TransferDeps) => {
  const exportRow = async (principal: Principal, row: store.ConversationRow): Promise<ExportedConversation> => {
    const messages = (await store.listMessages(db, row.id)).map((message) =>
      fromRow(ExportedMessage, message, {
        // The file contains the text so far. The imported answer will not continue.
        status: message.status === "generating" ? "interrupted" : message.status,
        detail: Value.Check(AnswerDetail, message.detail) ? message.detail : null,
      }),
    );
    const { index, retrieval } = toConversation(row);
    const own = { index, retrieval, messages: await withoutGone(indexes, principal, messages) };
    return fromRow(ExportedConversation, row, own);
  };

  const importOne = async (tx: Tx, keyId: string, file: ExportedConversation): Promise<keyof ImportResult> => {
    const at = now();
    const isOwn = (await store.findHolder(tx, file.id)) === keyId;
    const id = isOwn ? file.id : idFor(keyId, file.id);
    const isNew = !isOwn && (await store.findHolder(tx, id)) === undefined;
    const stored = isNew ? [] : await store.listMessages(tx, id);
    const parents = parentsIn(file);
    checkCalls(file);
    if (!isNew && !isContinued(stored, file.messages, parents)) return "skipped";
    if (isNew) {
      const createdAt = timeOf(file.created_at, at);
      const updatedAt = timeOf(file.updated_at, at);
      const { title, model, index: indexId, retrieval, tools } = file;
      const settings = { title, model, indexId, retrieval, tools: listOrNull(tools) };
      await store.insertConversation(tx, { id, keyId, ...settings, createdAt, updatedAt });
    }
    const ids = file.messages.map((_, index) => stored[index]?.id ?? newId("msg"));
    const idAt = (index: number): string | null => ids[index] ?? null;
    const added = file.messages.map((message, index) => ({
      id: ids[index] ?? "",
      parentId: idAt(parents[index] ?? -1),
      role: message.role,
      content: message.content,
      reasoning: message.reasoning ?? null,
      toolCalls: listOrNull(message.tool_calls),
      toolCallId: message.tool_call_id ?? null,
      status: message.status ?? ("complete" as const),
      detail: message.detail ?? null,
      createdAt: timeOf(message.created_at, at),
    }));
    await store.appendMessages(tx, id, added.slice(stored.length), isNew ? timeOf(file.updated_at, at) : at);
    const leaf = file.messages.findIndex((message) => message.id !== undefined && message.id === file.leaf_id);
    if (leaf >= 0) await store.showBranch(tx, id, idAt(leaf));
    return isNew ? "imported" : "extended";
  };

  return {
    /** One conversation. Throws not_found. */
    async exportOne(principal: Principal, id: string, format?: ExportFormat) {
      const row = await store.findConversation(db, principal.keyId, id);
      if (!row) throw new AppError("not_found", "This conversation does not exist, or it was deleted.");
      return toFile([await exportRow(principal, row)], format, row.id);
    },

    /** All of the caller's conversations, most recently changed first. */
    async exportAll(principal: Principal, format?: ExportFormat) {
      const exported: ExportedConversation[] = [];
      for (let cursor: TimeCursor | undefined; ; ) {
        const rows = await store.listConversations(db, principal.keyId, { limit: PAGE, cursor });
        for (const row of rows) exported.push(await exportRow(principal, row));
        const last = rows.at(-1);
        if (!last || rows.length < PAGE) return toFile(exported, format, "conversations");
        cursor = { at: last.updatedAt, id: last.id };
      }
    },

    /**
     * Imports an export completely or not at all. Importing a file twice adds nothing. A conversation that is longer in
     * the file gets the missing messages; one that was changed since the export is not touched. Throws
     * insufficient_role for a key whose content may not be stored, and invalid_request for a message whose parent
     * doesn't come before it, or whose role can't have its calls.
     */
    async importAll(principal: Principal, { conversations }: ConversationExport): Promise<ImportResult> {
      assertMayStore(principal, "conversations", "Use POST /v1/chat, which stores nothing.");
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

/**
 * The id under which a key imports a conversation that it doesn't have. It is the same whether another key has the
 * conversation or not, so that the id reveals nothing, and a second import finds the first.
 */
const idFor = (keyId: string, id: string): string =>
  `chat_${createHash("sha256").update(`${keyId} ${id}`).digest("hex").slice(0, 32)}`;

const timeOf = (text: string | undefined, otherwise: Date): Date => (text === undefined ? otherwise : new Date(text));

/** An empty list means the same as none, but servers refuse it. */
const listOrNull = <T>(list: T[] | null | undefined): T[] | null => (list && list.length > 0 ? list : null);

/** Index of each message's parent in the file, -1 for none. Throws invalid_request if the parent does not come earlier. */
const parentsIn = ({ id, messages }: ExportedConversation): number[] => {
  const places = new Map<string, number>();
  return messages.map((message, index) => {
    const { parent_id: parentId = index === 0 ? null : undefined } = message;
    const parent = parentId === undefined ? index - 1 : parentId === null ? -1 : places.get(parentId);
    if (parent === undefined) {
      const text = `The parent ${parentId} of message ${index + 1} of ${id} is not the id of an earlier message. Use the id of an earlier message, or leave out parent_id to follow the previous one.`;
      throw new AppError("invalid_request", text, { param: "conversations" });
    }
    if (message.id !== undefined) places.set(message.id, index);
    return parent;
  });
};

/** Throws invalid_request for a result without its call's id, and for fields that a message of the role can't have. */
const checkCalls = ({ id, tools, messages }: ExportedConversation): void => {
  if (tools) assertTools({ messages: [], tools });
  for (const [index, { role, reasoning, tool_calls, tool_call_id }] of messages.entries()) {
    const isAnswer = role === "assistant";
    const problem =
      role === "tool" && !tool_call_id
        ? "tool_call_id is missing: a result needs the id of its call."
        : role !== "tool" && tool_call_id
          ? "tool_call_id is only for the role tool."
          : !isAnswer &&
            (reasoning || tool_calls?.length) &&
            "reasoning and tool_calls are only for the role assistant.";
    if (!problem) continue;
    throw new AppError("invalid_request", `Message ${index + 1} of ${id}: ${problem}`, { param: "conversations" });
  }
};

/** Whether `file` starts with all stored messages and has more. */
const isContinued = (
  stored: readonly store.MessageRow[],
  file: ExportedConversation["messages"],
  parents: readonly number[],
): boolean =>
  file.length > stored.length &&
  stored.every(({ role, content, toolCalls, toolCallId, parentId }, i) => {
    const other = file[i];
    return (
      role === other?.role &&
      content === other.content &&
      Bun.deepEquals(toolCalls, listOrNull(other.tool_calls)) &&
      toolCallId === (other.tool_call_id ?? null) &&
      parentId === (stored[parents[i] ?? -1]?.id ?? null)
    );
  });

const SPEAKERS = { system: "System", user: "You", assistant: "Answer", tool: "Result" } as const;

/** A function call: its name, and its arguments as an indented code block. */
const callOf = ({ function: { name, arguments: json } }: ToolCall): string =>
  `Calls ${name}:\n\n${(indentJson(json) ?? json).replaceAll(/^/gm, "    ")}`;

/** The passages behind an answer as a list: "- [1] Staff handbook, page 3: quote". Empty if there are none. */
const sourcesOf = (evidence: AnswerEvidence | undefined): string[] => {
  const lines = (evidence?.citations ?? []).map(({ marker, document_title: title, document_id: id, page, quote }) => {
    const place = page === null ? title : `${title}, page ${page}`;
    const text = evidence?.gone.includes(id) ? "no longer available" : quote.replaceAll(/\s+/g, " ");
    return `- [${marker}] ${place}: ${text}`;
  });
  return lines.length > 0 ? [`Sources:\n\n${[...new Set(lines)].join("\n")}`] : [];
};

/** Only the shown branch. */
const toMarkdown = ({ title, model, messages, leaf_id: leafId = null }: ExportedConversation): string => {
  const rows = messages.map((message) => ({ ...message, id: message.id ?? "", parentId: message.parent_id ?? null }));
  const turns = branchTo(rows, leafId).map(({ role, content, reasoning, tool_calls: calls, detail }) => {
    const thoughts = reasoning ? [`Reasoning:\n\n${reasoning.replaceAll(/^/gm, "> ")}`] : [];
    const called = (calls ?? []).map(callOf);
    const text = content === "" && called.length > 0 ? [] : [content];
    return [`## ${SPEAKERS[role]}`, ...thoughts, ...text, ...called, ...sourcesOf(detail?.evidence)].join("\n\n");
  });
  return [`# ${title}`, `Model: ${model}`, ...turns].join("\n\n");
};

const toFile = (conversations: ExportedConversation[], format: ExportFormat = "json", stem: string) => {
  const file: ConversationExport = { version: 1, conversations };
  return format === "json"
    ? { name: `${stem}.json`, mediaType: "application/json", content: JSON.stringify(file, null, 2) }
    : {
        name: `${stem}.md`,
        mediaType: "text/markdown",
        content: `${conversations.map(toMarkdown).join("\n\n---\n\n")}\n`,
      };
};
