import { type Static, Type } from "@sinclair/typebox";
import type { ItemPlace } from "../../db/responses";
import { ignored, optional, requires, unsupported } from "../chat/fields";
import { FunctionName, IMAGE_ADDRESS } from "../chat/message";
import { Component, OneOf, Strict } from "../contract";

/*
 * Items of the Open Responses specification: first as a request may contain them, then as they are stored and returned.
 */

const ItemStatus = OneOf(["in_progress", "completed", "incomplete"]);

/** Fields that items have once a response has returned them. */
const returned = {
  id: optional(Type.String({ minLength: 1, maxLength: 200 })),
  status: optional(ItemStatus),
};
/** A message may omit its type. */
const messageType = Type.Optional(Type.Literal("message"));

const InputText = Strict({ type: Type.Literal("input_text"), text: Type.String(), prompt_cache_breakpoint: ignored });
const Detail = OneOf(["low", "high", "auto"]);
const InputImage = Strict(
  {
    type: Type.Literal("input_image"),
    image_url: Type.String({
      pattern: IMAGE_ADDRESS,
      description: "A data URL, or an address on a host that the operator allows",
      examples: ["data:image/png;base64,iVBORw0KGgo="],
    }),
    detail: optional(Detail, "auto"),
    file_id: unsupported(),
    prompt_cache_breakpoint: ignored,
  },
  { description: requires("vision") },
);
const texts = Type.Array(InputText, { minItems: 1 });

const AnswerPart = Type.Union([
  Strict({
    type: Type.Literal("output_text"),
    text: Type.String(),
    annotations: ignored,
    logprobs: ignored,
    parsed: ignored,
  }),
  Strict({ type: Type.Literal("refusal"), refusal: Type.String() }),
  InputText,
]);

const CallId = Type.String({ minLength: 1, maxLength: 256 });
const textOf = <T extends string>(type: T) => Strict({ type: Type.Literal(type), text: Type.String() });

/** One item of `input`. */
export const InputItem = Type.Union(
  [
    Strict({
      type: messageType,
      role: Type.Literal("user"),
      content: Type.Union([Type.String(), Type.Array(Type.Union([InputText, InputImage]), { minItems: 1 })]),
      phase: ignored,
      ...returned,
    }),
    Strict({
      type: messageType,
      role: OneOf(["system", "developer"]),
      content: Type.Union([Type.String(), texts]),
      phase: ignored,
      ...returned,
    }),
    Strict({
      type: messageType,
      role: Type.Literal("assistant"),
      content: Type.Union([Type.String(), Type.Array(AnswerPart)]),
      phase: ignored,
      ...returned,
    }),
    Strict(
      {
        type: Type.Literal("function_call"),
        call_id: CallId,
        name: FunctionName,
        arguments: Type.String(),
        parsed_arguments: ignored,
        ...returned,
      },
      { description: requires("tools") },
    ),
    Strict(
      {
        type: Type.Literal("function_call_output"),
        call_id: CallId,
        output: Type.Union([Type.String(), texts]),
        ...returned,
      },
      { description: requires("tools") },
    ),
    Strict(
      {
        type: Type.Literal("reasoning"),
        summary: Type.Array(textOf("summary_text")),
        content: optional(Type.Array(textOf("reasoning_text")), []),
        encrypted_content: unsupported(""),
        ...returned,
      },
      { description: "Not passed on to models without the capability `reasoning`" },
    ),
    Strict(
      {
        type: Type.Literal("compaction"),
        encrypted_content: Type.String({ minLength: 1 }),
        created_by: ignored,
        ...returned,
      },
      { description: "The result of `POST /v1/responses/compact`, in place of the conversation" },
    ),
    Strict(
      { type: Type.Optional(Type.Literal("item_reference")), id: Type.String({ minLength: 1, maxLength: 200 }) },
      { description: "An item of a stored response" },
    ),
  ],
  { title: "ResponseInputItem" },
);
export type InputItem = Static<typeof InputItem>;

const id = Type.String({ description: "Unique to this item", examples: ["msg_0193a8f07c2b7e5c8d1f2a3b4c5d6e7f_0"] });

export const ContentPart = Type.Union(
  [
    Type.Object({ type: Type.Literal("input_text"), text: Type.String() }),
    Type.Object({ type: Type.Literal("input_image"), image_url: Type.String(), detail: Detail }),
    Type.Object({
      type: Type.Literal("output_text"),
      text: Type.String(),
      annotations: Type.Array(Type.Unknown(), { description: "Always empty" }),
      logprobs: Type.Array(Type.Unknown(), { description: "Always empty" }),
    }),
    Type.Object({ type: Type.Literal("reasoning_text"), text: Type.String() }),
    Type.Object({ type: Type.Literal("refusal"), refusal: Type.String() }),
  ],
  { title: "ResponseContentPart" },
);
export type ContentPart = Static<typeof ContentPart>;

const MessageItem = Component("ResponseMessage", {
  type: Type.Literal("message"),
  id,
  status: ItemStatus,
  role: OneOf(["user", "assistant", "system", "developer"]),
  content: Type.Array(ContentPart),
});
const FunctionCallItem = Component("ResponseFunctionCall", {
  type: Type.Literal("function_call"),
  id,
  call_id: Type.String({ description: "The call's id, which its `function_call_output` repeats" }),
  name: Type.String({ examples: ["get_weather"] }),
  arguments: Type.String({ description: "JSON, as the model wrote it", examples: ['{"city":"Rome"}'] }),
  status: ItemStatus,
});
const ReasoningItem = Component("ResponseReasoning", {
  type: Type.Literal("reasoning"),
  id,
  status: ItemStatus,
  summary: Type.Array(Type.Object({ type: Type.Literal("summary_text"), text: Type.String() }), {
    description: "Empty in answers: reasoning is not summarised",
  }),
  content: Type.Array(Type.Object({ type: Type.Literal("reasoning_text"), text: Type.String() })),
});

export const CompactionItem = Component("ResponseCompaction", {
  type: Type.Literal("compaction"),
  id,
  encrypted_content: Type.String({ description: "The summary in base64. It is not encrypted", examples: ["Z3JvdW5k"] }),
});
export type CompactionItem = Static<typeof CompactionItem>;

/** An item as it is stored and returned. */
export const Item = Type.Union(
  [
    MessageItem,
    FunctionCallItem,
    Component("ResponseFunctionCallOutput", {
      type: Type.Literal("function_call_output"),
      id,
      call_id: Type.String(),
      output: Type.Union([
        Type.String(),
        Type.Array(Type.Object({ type: Type.Literal("input_text"), text: Type.String() })),
      ]),
      status: ItemStatus,
    }),
    ReasoningItem,
    CompactionItem,
  ],
  { title: "ResponseItem" },
);
export type Item = Static<typeof Item>;

/** An item that a model wrote. */
export type OutputItem = Static<typeof MessageItem> | Static<typeof FunctionCallItem> | Static<typeof ReasoningItem>;

type Prefix = "msg" | "fc" | "fco" | "rs" | "cmp";

/** The id of the item at index `place` of a response's output or input. */
export const itemId = (prefix: Prefix, responseId: string, place: number, list: "input" | "output"): string =>
  `${prefix}_${responseId.slice(RESPONSE.length)}_${list === "input" ? "i" : ""}${place}`;

const RESPONSE = "resp_";

/** The place of the item with this id, which is made by `itemId`; undefined for an id that isn't Groundwire's. */
export const placeOf = (id: string): ItemPlace | undefined => {
  const [, response, input, place] = /^[a-z]+_([0-9a-f]{32})_(i?)(\d{1,6})$/.exec(id) ?? [];
  return response === undefined
    ? undefined
    : { responseId: RESPONSE + response, list: input ? "input" : "output", place: Number(place) };
};
