import { type Static, Type } from "@sinclair/typebox";
import { invalidField } from "./fields";
import { Ignored, Strict, Text } from "./schema";
import { FunctionName } from "./tools";

const ROLES = { system: "system", developer: "system", user: "user", assistant: "assistant", tool: "tool" } as const;

const TextPart = Strict({ type: Type.Literal("text"), text: Text, cache_control: Ignored }, "text parts");
const CallId = Type.String({ minLength: 1, maxLength: 256, format: "well-formed" });
const WireCall = Strict(
  {
    id: CallId,
    type: Type.Literal("function"),
    function: Strict({ name: FunctionName, arguments: Text, parsed_arguments: Ignored }),
    index: Ignored,
  },
  "function calls",
);
const Message = Strict(
  {
    role: Type.Union([
      Type.Literal("system"),
      Type.Literal("developer"),
      Type.Literal("user"),
      Type.Literal("assistant"),
      Type.Literal("tool"),
    ]),
    content: Type.Optional(Type.Union([Text, Type.Array(TextPart, { minItems: 1 })])),
    tool_calls: Type.Optional(Type.Array(WireCall, { maxItems: 128 })),
    tool_call_id: Type.Optional(CallId),
    reasoning: Type.Optional(Text),
    reasoning_content: Type.Optional(Text),
    name: Ignored,
    refusal: Ignored,
  },
  "messages",
);
export const Messages = Type.Array(Message, { minItems: 1, maxItems: 2000 });

/** A function call in an earlier answer. */
export interface EarlierCall {
  id: string;
  name: string;
  /** JSON, as the model wrote it: it may be invalid. */
  arguments: string;
}

export interface ChatTurn {
  role: "system" | "user" | "assistant" | "tool";
  /** The text, with text parts joined. */
  content: string;
  /** The reasoning behind an assistant's answer. Models without reasoning don't read it. */
  reasoning?: string;
  /** The calls of an assistant's answer; undefined if it has none. */
  calls?: EarlierCall[];
  /** The id of the call that a tool's message answers. */
  callId?: string;
}

/** Converts validated messages. Throws invalid_request for fields that a message's role can't have. */
export const turnsOf = (messages: Static<typeof Messages>): ChatTurn[] =>
  messages.map(
    ({ role, content, tool_calls = [], tool_call_id, reasoning_content, reasoning = reasoning_content }, index) => {
      const invalid = (field: string, problem: string) =>
        invalidField(`messages.${index}.${field}`, `messages.${index}.${field} ${problem}`);
      if (content === undefined && role !== "assistant")
        throw invalid("content", "is missing. Expected a string or a list of text parts.");
      if (tool_calls.length > 0 && role !== "assistant")
        throw invalid("tool_calls", `is not allowed in a message with the role "${role}". Leave it out.`);
      if (role === "tool" && tool_call_id === undefined)
        throw invalid("tool_call_id", "is missing. Expected the id of the call that this message answers.");
      if (role !== "tool" && tool_call_id !== undefined)
        throw invalid("tool_call_id", `is not allowed in a message with the role "${role}". Leave it out.`);
      const text = typeof content === "object" ? content.map((part) => part.text).join("") : (content ?? "");
      const turn: ChatTurn = { role: ROLES[role], content: text };
      if (reasoning !== undefined) turn.reasoning = reasoning;
      if (tool_calls.length > 0) turn.calls = tool_calls.map(({ id, function: call }) => ({ ...call, id }));
      if (tool_call_id !== undefined) turn.callId = tool_call_id;
      return turn;
    },
  );
