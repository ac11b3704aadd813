import { type Static, Type } from "@sinclair/typebox";
import { ignored, optional, requires } from "../chat/fields";
import { OneOf, Strict } from "../contract";

/* The content blocks of a request's messages, as in Anthropic's API. */

/** The same pattern as in Anthropic's API. */
export const ToolName = Type.String({ pattern: "^[a-zA-Z0-9_-]{1,128}$" });
const ToolUseId = Type.String({ minLength: 1, maxLength: 256 });

export const TextBlock = Strict({
  type: Type.Literal("text"),
  text: Type.String(),
  cache_control: ignored,
  citations: ignored,
});

const ImageBlock = Strict(
  {
    type: Type.Literal("image"),
    source: Strict({
      type: Type.Literal("base64"),
      media_type: OneOf(["image/png", "image/jpeg", "image/webp", "image/gif"]),
      data: Type.String({ minLength: 1, examples: ["iVBORw0KGgo="] }),
    }),
    cache_control: ignored,
    transformations: ignored,
  },
  { description: requires("vision") },
);

/** Names a tool that the client's tool search found. */
const ToolReferenceBlock = Strict({
  type: Type.Literal("tool_reference"),
  tool_name: ToolName,
  cache_control: ignored,
});

const ToolResultBlock = Strict(
  {
    type: Type.Literal("tool_result"),
    tool_use_id: ToolUseId,
    content: optional(
      Type.Union([Type.String(), Type.Array(Type.Union([TextBlock, ImageBlock, ToolReferenceBlock]))]),
      "",
      [],
    ),
    is_error: optional(Type.Boolean({ description: 'The model reads "Error: " before the result' }), false),
    cache_control: ignored,
  },
  { description: `The result of a tool call. ${requires("tools")}` },
);
export type ToolResultBlock = Static<typeof ToolResultBlock>;

const ToolUseBlock = Strict(
  {
    type: Type.Literal("tool_use"),
    id: ToolUseId,
    name: ToolName,
    input: Type.Record(Type.String(), Type.Unknown()),
    cache_control: ignored,
    caller: ignored,
  },
  { description: `A tool call of an earlier answer. ${requires("tools")}` },
);

const ThinkingBlock = Strict(
  { type: Type.Literal("thinking"), thinking: Type.String(), signature: optional(Type.String(), "") },
  { description: "Reasoning of an earlier answer. Left out for models without the capability `reasoning`" },
);

const RedactedThinkingBlock = Strict(
  { type: Type.Literal("redacted_thinking"), data: Type.String() },
  { description: "Only Anthropic can read it, so it is left out" },
);

const UserBlock = Type.Union([TextBlock, ImageBlock, ToolResultBlock]);
export type UserBlock = Static<typeof UserBlock>;

const AssistantBlock = Type.Union([TextBlock, ToolUseBlock, ThinkingBlock, RedactedThinkingBlock]);
export type AssistantBlock = Static<typeof AssistantBlock>;

export const MessageParam = Type.Union(
  [
    Strict({
      role: Type.Literal("user"),
      content: Type.Union([Type.String(), Type.Array(UserBlock, { minItems: 1 })]),
    }),
    Strict({ role: Type.Literal("assistant"), content: Type.Union([Type.String(), Type.Array(AssistantBlock)]) }),
    Strict(
      { role: Type.Literal("system"), content: Type.Union([Type.String(), Type.Array(TextBlock, { minItems: 1 })]) },
      {
        description:
          "Sent to the model as a user message, because many chat templates allow system messages only at the start",
      },
    ),
  ],
  { title: "MessageParam" },
);
export type MessageParam = Static<typeof MessageParam>;
