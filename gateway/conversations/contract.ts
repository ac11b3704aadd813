import { type Static, Type } from "@sinclair/typebox";
import { FinishReason, Latency, Usage } from "../chat/contract";
import { CallId, ToolCall } from "../chat/message";
import { ToolList } from "../chat/tools";
import {
  CacheReport,
  Count,
  ErrorBody,
  Id,
  Milliseconds,
  Name,
  NOT_BLANK,
  Nullable,
  OneOf,
  Page,
  PageQuery,
  PathId,
  Strict,
  Timestamp,
} from "../contract";
import { RagAnswer } from "../rag/contract";
import { RetrievalOverrides } from "../retrieval-contract";

const title = Type.String({ examples: ["Three colours"] });
const newTitle = Name(200);
const role = OneOf(["system", "user", "assistant", "tool"]);
const content = Type.String({ maxLength: 1_000_000 });
const MAX_CALLS = 128;

const leftOut = Count("Earlier messages that were left out because they did not fit. System messages are always kept");

/** The context that the model read for an answer. */
export const AnswerContext = Type.Object(
  {
    window: Nullable(Type.Integer({ minimum: 1 }), {
      description: "Tokens for prompt and answer together; null until a node has reported it",
    }),
    prompt_tokens: Count("Prompt tokens, estimated until `usage` has the exact number"),
    first_message_id: Nullable(Id("msg"), {
      description: "The first message that the model read; null if it read all",
    }),
    left_out: leftOut,
  },
  { title: "AnswerContext" },
);
export type AnswerContext = Static<typeof AnswerContext>;

const { index, chunks, threshold, warning, degraded, citations, grounding } = RagAnswer.properties;

/** The passages behind an answer from an index. */
export const AnswerEvidence = Type.Object(
  {
    status: OneOf(["searching", "writing", "checking", "answered", "no_relevant_context"], {
      description:
        "searching, writing, checking: the current step of a running answer, or the last step of one that did not complete; no_relevant_context: the answer is the index's fallback text and no model was called",
    }),
    index,
    chunks,
    threshold,
    warning,
    degraded,
    citations,
    grounding,
    gone: Type.Array(Id("doc"), {
      description:
        "Documents that have since been deleted, or that the key can no longer access. Their chunks are left out, and the quotes of their citations are empty",
    }),
  },
  { title: "AnswerEvidence" },
);
export type AnswerEvidence = Static<typeof AnswerEvidence>;

/** Details of an answer, as in `ChatAnswer`. Fields appear once they are known: a stopped answer has no finish reason. */
export const AnswerDetail = Type.Object(
  {
    model: Type.String(),
    model_revision: Type.Optional(Type.String()),
    node: Type.Optional(Nullable(Type.String())),
    finish_reason: Type.Optional(FinishReason),
    usage: Type.Optional(Usage),
    latency: Type.Optional(Latency),
    cache: Type.Optional(CacheReport),
    context: Type.Optional(AnswerContext),
    evidence: Type.Optional(AnswerEvidence),
    reasoning_ms: Type.Optional(
      Milliseconds("Time from the first to the last token of the reasoning; 0 for an answer from the cache"),
    ),
    length_limit: Type.Optional(
      OneOf(["max_tokens", "context_window"], {
        description: "Set if finish_reason is length: shows whether max_tokens was reached or the context is full",
      }),
    ),
    so_far: Type.Optional(
      Type.Object(
        {
          tokens: Count("Approximate number of generated tokens"),
          ttft: Type.Number({ description: "Milliseconds until the first token" }),
          total: Type.Number({ description: "Milliseconds until the answer ended" }),
        },
        { description: "Replaces usage and latency for an answer that was not completed" },
      ),
    ),
    request_id: Type.String(),
    error: Type.Optional(ErrorBody),
  },
  { title: "AnswerDetail" },
);
export type AnswerDetail = Static<typeof AnswerDetail>;

export const ConversationMessage = Type.Object(
  {
    id: Id("msg"),
    parent_id: Nullable(Id("msg"), { description: "The previous message; null for the first" }),
    versions: Type.Array(Id("msg"), {
      description:
        "All versions of this message, oldest first: edited questions or regenerated answers. One is shown at a time",
    }),
    role,
    content,
    reasoning: Nullable(Type.String(), { description: "The reasoning before an answer; null if there is none" }),
    tool_calls: Nullable(Type.Array(ToolCall), { description: "The functions that an answer calls; null: none" }),
    tool_call_id: Nullable(Type.String(), {
      description: "Only for the role `tool`: the call whose result this is. Results directly follow their answer",
    }),
    status: OneOf(["complete", "generating", "stopped", "failed", "interrupted"], {
      description: "generating: its events can be resumed; interrupted: the gateway stopped before it was complete",
    }),
    detail: Nullable(AnswerDetail, { description: "Only on answers" }),
    created_at: Timestamp,
  },
  { title: "ConversationMessage" },
);
export type ConversationMessage = Static<typeof ConversationMessage>;

const conversationIndex = Nullable(Id("idx"), {
  description: "The index that answers come from; null: answers come from the model alone",
});
const conversationRetrieval = Nullable(RetrievalOverrides, {
  description: "Search settings that override the index's; null: none",
});

const conversationTools = Nullable(ToolList, {
  description: "The functions that answers may call; null: none. Not used for answers from an index",
});

export const Conversation = Type.Object(
  {
    id: Id("chat"),
    title,
    model: Type.String(),
    index: conversationIndex,
    retrieval: conversationRetrieval,
    tools: conversationTools,
    message_count: Count("All stored messages, including those on branches that are not shown"),
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { title: "Conversation" },
);
export type Conversation = Static<typeof Conversation>;

/** How much of the context window a conversation uses. */
const ConversationContext = Type.Object(
  {
    window: AnswerContext.properties.window,
    used_tokens: Count("Tokens of the prompt and the last answer, estimated until that answer is complete"),
    first_message_id: Nullable(Id("msg"), {
      description: "The first message that the model read for the last answer; null if it read all",
    }),
    left_out: leftOut,
  },
  { title: "ConversationContext" },
);
export type ConversationContext = Static<typeof ConversationContext>;

/** One conversation with its messages in order. */
export const ConversationWithMessages = Type.Object(
  {
    ...Conversation.properties,
    messages: Type.Array(ConversationMessage, { description: "The messages of the shown branch, in order" }),
    context: ConversationContext,
  },
  { title: "ConversationWithMessages" },
);
export type ConversationWithMessages = Static<typeof ConversationWithMessages>;

export const ConversationPage = Page(Conversation);
export type ConversationPage = Static<typeof ConversationPage>;

/** `GET /v1/conversations`: the caller's own conversations, most recently changed first. */
export const ConversationQuery = Type.Object({
  ...PageQuery.properties,
  search: Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, description: "Text to find in titles and messages" }),
  ),
});
export type ConversationQuery = Static<typeof ConversationQuery>;

const namedIndex = Type.String({
  minLength: 1,
  maxLength: 100,
  description: "Id or name of the index that answers come from",
});

/** `POST /v1/conversations`. */
export const CreateConversation = Strict(
  {
    title: Type.Optional(newTitle),
    model: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "The default model if omitted" })),
    index: Type.Optional(namedIndex),
    retrieval: Type.Optional(RetrievalOverrides),
    tools: Type.Optional(ToolList),
  },
  { title: "CreateConversation", examples: [{ title: "Three colours" }] },
);
export type CreateConversation = Static<typeof CreateConversation>;

/** `PATCH /v1/conversations/{id}`. Fields that are left out keep their values. */
export const UpdateConversation = Strict(
  {
    title: Type.Optional(newTitle),
    index: Type.Optional(Nullable(namedIndex, { description: "null: later answers come from the model alone" })),
    retrieval: Type.Optional(Nullable(RetrievalOverrides, { description: "null: the index's settings" })),
    tools: Type.Optional(Nullable(ToolList, { description: "null: later answers call no functions" })),
  },
  { title: "UpdateConversation", minProperties: 1, examples: [{ title: "Colours" }] },
);
export type UpdateConversation = Static<typeof UpdateConversation>;

/** `POST /v1/conversations/{id}/messages`. */
export const AskQuestion = Strict(
  {
    content: Type.String({ minLength: 1, maxLength: 1_000_000, pattern: NOT_BLANK }),
    replaces: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 100,
        description: "Id of an earlier question that this one replaces; both versions are kept",
      }),
    ),
  },
  { title: "AskQuestion", examples: [{ content: "Name three colours." }] },
);

/** `POST /v1/conversations/{id}/messages/{message_id}/tool-results`. */
export const ReturnResults = Strict(
  {
    results: Type.Array(Strict({ tool_call_id: CallId, content }), {
      minItems: 1,
      maxItems: MAX_CALLS,
      description: "One result for each call of the answer",
    }),
  },
  { title: "ReturnResults", examples: [{ results: [{ tool_call_id: "call_8sGk2", content: "21 °C, sunny" }] }] },
);
export type ReturnResults = Static<typeof ReturnResults>;

/** An answer that has started. Its text arrives as events. */
export const AnswerBegun = Type.Object(
  {
    conversation_id: Id("chat"),
    question_id: Id("msg", "The message that is answered: a question, or the last result of a function call"),
    answer_id: Id("msg"),
  },
  { title: "AnswerBegun" },
);

export const ExportFormat = OneOf(["json", "markdown"]);
export type ExportFormat = Static<typeof ExportFormat>;

/** Query of both exports. */
export const ExportQuery = Type.Object({
  format: Type.Optional(OneOf(["json", "markdown"], { default: "json", description: "Only json can be imported" })),
});
export type ExportQuery = Static<typeof ExportQuery>;

const ExportedCall = Strict({
  ...ToolCall.properties,
  function: Strict(ToolCall.properties.function.properties),
});

export const ExportedMessage = Strict(
  {
    id: Type.Optional(Id("msg", "Unique within this file; an import assigns a new id")),
    parent_id: Type.Optional(
      Nullable(Id("msg"), { description: "Id of an earlier message in this file; default: the previous message" }),
    ),
    role,
    content,
    reasoning: Type.Optional(Nullable(content, { description: "Only for the role `assistant`" })),
    tool_calls: Type.Optional(
      Nullable(Type.Array(ExportedCall, { maxItems: MAX_CALLS }), { description: "Only for the role `assistant`" }),
    ),
    tool_call_id: Type.Optional(Nullable(CallId, { description: "Required for the role `tool`, and only for it" })),
    status: Type.Optional(OneOf(["complete", "stopped", "failed", "interrupted"], { default: "complete" })),
    detail: Type.Optional(Nullable(AnswerDetail)),
    created_at: Type.Optional(Timestamp),
  },
  { title: "ExportedMessage" },
);

export const ExportedConversation = Strict(
  {
    id: Id(
      "chat",
      "An import of a conversation that the key doesn't have derives its id from this one and the key, so that importing the same file again adds nothing",
    ),
    title: Type.String({ minLength: 1, maxLength: 200 }),
    model: Type.String({ minLength: 1, maxLength: 200 }),
    index: Type.Optional(conversationIndex),
    retrieval: Type.Optional(conversationRetrieval),
    tools: Type.Optional(conversationTools),
    created_at: Type.Optional(Timestamp),
    updated_at: Type.Optional(Timestamp),
    leaf_id: Type.Optional(
      Nullable(Id("msg"), { description: "Last message of the shown branch; default: the last message" }),
    ),
    messages: Type.Array(ExportedMessage, {
      maxItems: 10_000,
      description: "The messages of every branch, oldest first",
    }),
  },
  { title: "ExportedConversation" },
);
export type ExportedConversation = Static<typeof ExportedConversation>;

/** The JSON export of one or all conversations, and the body of `POST /v1/conversations/import`. */
export const ConversationExport = Strict(
  {
    version: Type.Literal(1),
    conversations: Type.Array(ExportedConversation, { maxItems: 10_000 }),
  },
  {
    title: "ConversationExport",
    examples: [
      {
        version: 1,
        conversations: [
          {
            id: "chat_01jd8x1m9k2n3p4q5r6s7t8v9w",
            title: "Three colours",
            model: "smollm2-135m-instruct",
            messages: [
              { role: "user", content: "Name three colours." },
              { role: "assistant", content: "Red, green and blue." },
            ],
          },
        ],
      },
    ],
  },
);
export type ConversationExport = Static<typeof ConversationExport>;

/** Result of an import. Imports are idempotent: an existing conversation is skipped, unless the file continues it. */
export const ImportResult = Type.Object(
  {
    imported: Count("New conversations"),
    extended: Count("Existing conversations to which missing messages were added"),
    skipped: Count("Conversations that already existed"),
  },
  { title: "ImportResult", examples: [{ imported: 1, extended: 0, skipped: 0 }] },
);
export type ImportResult = Static<typeof ImportResult>;

/**
 * One event of `GET /v1/conversations/{id}/messages/{message_id}/events`. It always contains the complete answer so
 * far.
 */
export const AnswerUpdate = Type.Object(
  {
    id: Id("msg"),
    parent_id: ConversationMessage.properties.parent_id,
    versions: ConversationMessage.properties.versions,
    status: ConversationMessage.properties.status,
    content,
    reasoning: ConversationMessage.properties.reasoning,
    tool_calls: ConversationMessage.properties.tool_calls,
    detail: AnswerDetail,
  },
  { title: "AnswerUpdate" },
);

/** Path of one message. */
export const MessagePath = Type.Object({
  ...PathId.properties,
  message_id: Type.String({ minLength: 1, maxLength: 100 }),
});

/** `POST /v1/conversations/{id}/stop`. */
export const StopResult = Type.Object(
  { stopped: Type.Boolean({ description: "false: no answer was being generated" }) },
  { title: "StopResult", examples: [{ stopped: true }] },
);
