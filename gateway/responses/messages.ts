import { AppError } from "../../lib/errors";
import type { ChatMessage } from "../chat/message";
import { summaryIn } from "./compaction";
import type { CompactionItem, ContentPart, Item } from "./items";

/** An item and the field of the request that it comes from. */
export interface SourcedItem {
  item: Item;
  source: string;
}

type Assistant = Extract<ChatMessage, { role: "assistant" }>;
type Message = Extract<Item, { type: "message" }>;
type UserPart = Exclude<Extract<ChatMessage, { role: "user" }>["content"], string>[number];

const textOf = (parts: readonly (ContentPart | { type: string; text: string })[]): string =>
  parts.map((part) => ("text" in part ? part.text : "refusal" in part ? part.refusal : "")).join("");

class MessageList {
  readonly messages: ChatMessage[] = [];
  /** The field that each message comes from. */
  readonly sources: string[] = [];

  add<T extends ChatMessage>(message: T, source: string): T {
    this.messages.push(message);
    this.sources.push(source);
    return message;
  }

  /** Consecutive instructions become one message, because most chat templates accept only one. */
  instruct(text: string, source: string): void {
    const last = this.messages.at(-1);
    if (last?.role === "system") last.content += `\n\n${text}`;
    else this.add({ role: "system", content: text }, source);
  }

  /**
   * The assistant message that the next item belongs to: the last message if `canContinue` allows it, otherwise a new
   * one.
   */
  answer(source: string, canContinue: (begun: Assistant) => boolean): Assistant {
    const last = this.messages.at(-1);
    const isOpen = last?.role === "assistant" && canContinue(last);
    return isOpen ? last : this.add<Assistant>({ role: "assistant" }, source);
  }
}

/**
 * Translates items to chat messages. A model's reasoning, text and calls are separate items, but one message. Throws
 * invalid_request for a compaction that Groundwire didn't create.
 */
export const toMessages = (
  instructions: string | undefined,
  context: readonly SourcedItem[],
): Pick<MessageList, "messages" | "sources"> => {
  const list = new MessageList();
  if (instructions !== undefined) list.instruct(instructions, "instructions");
  for (const each of context) addItem(list, each);
  for (const message of list.messages) {
    // For example, an answer that was cut off during reasoning.
    if (message.role === "assistant" && !message.tool_calls) message.content ??= "";
  }
  return list;
};

const addItem = (list: MessageList, { item, source }: SourcedItem): void => {
  switch (item.type) {
    case "message":
      addMessage(list, item, source);
      break;
    case "reasoning": {
      const thoughts = textOf(item.content) || textOf(item.summary);
      if (thoughts === "") break;
      const answer = list.answer(source, ({ content, tool_calls }) => content === undefined && !tool_calls);
      answer.reasoning_content = (answer.reasoning_content ?? "") + thoughts;
      break;
    }
    case "function_call": {
      const { call_id: id, name, arguments: json } = item;
      const answer = list.answer(source, () => true);
      answer.tool_calls = [...(answer.tool_calls ?? []), { id, type: "function", function: { name, arguments: json } }];
      break;
    }
    case "function_call_output": {
      const content = typeof item.output === "string" ? item.output : textOf(item.output);
      list.add({ role: "tool", tool_call_id: item.call_id, content }, source);
      break;
    }
    case "compaction":
      list.instruct(`Summary of the conversation so far:\n\n${summaryOf(item, source)}`, source);
  }
};

const addMessage = (list: MessageList, message: Message, source: string): void => {
  const { role, content } = message;
  if (role === "user") list.add(userMessage(message), source);
  else if (role !== "assistant") list.instruct(textOf(content), source);
  else list.answer(source, (begun) => begun.content === undefined).content = textOf(content);
};

const summaryOf = (item: CompactionItem, source: string): string => {
  const summary = summaryIn(item);
  if (summary !== undefined) return summary;
  const param = `${source}.encrypted_content`;
  const message = `${param} is not a compaction from Groundwire. Send the conversation instead, or compact it with POST /v1/responses/compact.`;
  throw new AppError("invalid_request", message, { param });
};

/** A plain text stays a string, which every chat template accepts. */
const userMessage = ({ content }: Message): ChatMessage => {
  const [first, ...others] = content;
  if (first?.type === "input_text" && others.length === 0) return { role: "user", content: first.text };
  const parts = content.flatMap((part): UserPart[] => {
    if (part.type === "input_text") return [{ type: "text", text: part.text }];
    if (part.type !== "input_image") return [];
    const { image_url: url, detail } = part;
    return [{ type: "image_url", image_url: { url, ...(detail !== "auto" && { detail }) } }];
  });
  return { role: "user", content: parts };
};
