import { type Static, Type } from "@sinclair/typebox";
import { Component, Count, Nullable, OneOf, Strict } from "../contract";
import { ignored, optional, requires, unsupported } from "./fields";

/** A function call that the model asks the caller to make. */
export const ToolCall = Component("ToolCall", {
  id: Type.String({ examples: ["call_8sGk2"] }),
  type: Type.Literal("function"),
  function: Type.Object({
    name: Type.String({ examples: ["get_weather"] }),
    arguments: Type.String({ description: "JSON, as the model wrote it", examples: ['{"city":"Rome"}'] }),
  }),
});
export type ToolCall = Static<typeof ToolCall>;

/** A piece of a streamed call: the first one has the id and the name, the others have parts of the arguments. */
export const ToolCallDelta = Component("ToolCallDelta", {
  index: Type.Optional(Count("Index of the call that this piece belongs to")),
  id: Type.Optional(Nullable(Type.String())),
  type: Type.Optional(Nullable(Type.Literal("function"))),
  function: Type.Optional(
    Type.Object({
      name: Type.Optional(Nullable(Type.String())),
      arguments: Type.Optional(Nullable(Type.String())),
    }),
  ),
});
export type ToolCallDelta = Static<typeof ToolCallDelta>;

/** The same pattern as in OpenAI's API. */
export const FunctionName = Type.String({ pattern: "^[a-zA-Z0-9_-]{1,64}$" });
export const CallId = Type.String({ minLength: 1, maxLength: 256 });
const MAX_CALLS = 128;

/** A call from an earlier answer, which the caller sends back, with what servers and client libraries add to it. */
const EarlierCall = Strict({
  id: CallId,
  type: Type.Literal("function"),
  function: Strict({ name: FunctionName, arguments: Type.String(), parsed_arguments: ignored }),
  index: ignored,
});

/** Text only. The error for any other part names its type. */
const TextPart = Strict({
  type: Type.Literal("text"),
  text: Type.String(),
  annotations: ignored,
  cache_control: ignored,
});
const Content = Type.Union([Type.String(), Type.Array(TextPart, { minItems: 1 })]);

/** The start of an image's data URL or web address. `images.ts` checks that the operator allows the host. */
export const IMAGE_ADDRESS = "^(data:image/(png|jpeg|webp|gif);base64,|https?://)";

const ImagePart = Strict(
  {
    type: Type.Literal("image_url"),
    image_url: Strict({
      url: Type.String({
        pattern: IMAGE_ADDRESS,
        description: "A data URL, or an address on a host that the operator allows",
        examples: ["data:image/png;base64,iVBORw0KGgo="],
      }),
      detail: optional(OneOf(["auto", "low", "high"]), "auto"),
    }),
    cache_control: ignored,
  },
  { description: requires("vision") },
);

const AudioPart = Strict(
  {
    type: Type.Literal("input_audio"),
    input_audio: Strict({
      data: Type.String({ minLength: 1, description: "Base64" }),
      format: OneOf(["wav", "mp3"]),
    }),
    cache_control: ignored,
  },
  { description: requires("audio_input") },
);
const UserPart = Type.Union([TextPart, ImagePart, AudioPart]);
const AnswerContent = Type.Union([Type.String(), Type.Array(TextPart)]);
const messageName = optional(Type.String({ maxLength: 64 }), "");

const instruction = {
  role: OneOf(["system", "developer", "user"]),
  content: Content,
  name: messageName,
};

const answer = {
  role: Type.Literal("assistant"),
  content: optional(AnswerContent, "", []),
  name: messageName,
  // Client libraries send these fields empty when they put an answer back into `messages`.
  refusal: unsupported(""),
  annotations: unsupported([]),
  audio: unsupported({}),
  function_call: unsupported({}),
  tool_call_id: unsupported(""),
  parsed: ignored,
  provider_specific_fields: ignored,
};

/** A text-only message, which every chat model accepts. */
export const TextMessage = Type.Union(
  [
    Strict(instruction),
    Strict({
      ...answer,
      tool_calls: unsupported([]),
      reasoning: unsupported(""),
      reasoning_content: unsupported(""),
    }),
  ],
  { title: "TextMessage" },
);
export type TextMessage = Static<typeof TextMessage>;

const reasoning = optional(
  Type.String({ description: "Not passed on to models without the capability `reasoning`" }),
  "",
);

/** A message of a request. `capabilities.ts` checks what depends on the model. */
export const ChatMessage = Type.Union(
  [
    Strict(instruction),
    Strict({
      ...answer,
      tool_calls: optional(Type.Array(EarlierCall, { maxItems: MAX_CALLS, description: requires("tools") }), []),
      reasoning,
      reasoning_content: reasoning,
    }),
    Strict(
      { role: Type.Literal("tool"), content: Content, tool_call_id: CallId, name: messageName },
      { description: `The result of a function call. ${requires("tools")}` },
    ),
    // Last, so that it doesn't slow down the validation of messages without images and audio.
    Strict({ role: Type.Literal("user"), content: Type.Array(UserPart, { minItems: 1 }), name: messageName }),
  ],
  { title: "ChatMessage" },
);
export type ChatMessage = Static<typeof ChatMessage>;
