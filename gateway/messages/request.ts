import type { ChatCompletionRequest } from "../chat/contract";
import type { ChatMessage } from "../chat/message";
import type { AssistantBlock, MessageParam, ToolResultBlock, UserBlock } from "./content";
import type { CountTokensRequest, MessagesRequest } from "./contract";
import { reasoningIn } from "./signature";

/* Translates requests to the chat service's. */

/** Joins texts into one, because many chat templates don't accept lists of texts. */
const join = (texts: readonly string[]): string => texts.filter((text) => text !== "").join("\n\n");

/**
 * The start of Claude Code's first system block. It isn't meant for the model, and would change the start of every
 * prompt.
 */
const BILLING = "x-anthropic-billing-header:";

const systemOf = (system: MessagesRequest["system"] = []): string =>
  typeof system === "string"
    ? system
    : join(system.map(({ text }) => text).filter((text) => !text.startsWith(BILLING)));

const blocksOf = <B>(content: string | B[]): (B | { type: "text"; text: string })[] =>
  typeof content === "string" ? [{ type: "text", text: content }] : content;

type Turn = { role: "user"; blocks: UserBlock[] } | { role: "assistant"; blocks: AssistantBlock[] };

/**
 * Combines consecutive messages of one role into a turn, as Anthropic's API does. System messages belong to the user's
 * turn: many chat templates allow only one system message, at the start. Moving them there would change the start of
 * the prompt, and the node would have to compute all of it again.
 */
const turnsOf = (messages: readonly MessageParam[]): Turn[] => {
  const turns: Turn[] = [];
  for (const message of messages) {
    const last = turns.at(-1);
    if (message.role === "assistant") {
      const blocks = blocksOf(message.content);
      if (last?.role === "assistant") last.blocks.push(...blocks);
      else turns.push({ role: "assistant", blocks: [...blocks] });
      continue;
    }
    const blocks: UserBlock[] = blocksOf<UserBlock>(message.content);
    if (last?.role === "user") last.blocks.push(...blocks);
    else turns.push({ role: "user", blocks: [...blocks] });
  }
  return turns;
};

const resultTextOf = ({ content = "", is_error }: ToolResultBlock): string => {
  const texts = blocksOf(content).map((block) => {
    if (block.type === "text") return block.text;
    return block.type === "image" ? "The image is in the next message." : `The tool ${block.tool_name} is available.`;
  });
  return is_error ? `Error: ${join(texts)}` : join(texts);
};

const imagesOf = ({ content = "" }: ToolResultBlock) => blocksOf(content).filter((block) => block.type === "image");

type Part = { type: "text"; text: string } | { type: "image_url"; image_url: { url: string } };

const partsOf = (block: UserBlock): Part[] => {
  if (block.type === "text") return [{ type: "text", text: block.text }];
  if (block.type !== "image") return [];
  const { media_type, data } = block.source;
  return [{ type: "image_url", image_url: { url: `data:${media_type};base64,${data}` } }];
};

/**
 * Translates a user's turn. Results of tool calls come first, because they must follow the calls. One user message with
 * everything else comes next, including the images of the results, because only user messages may contain images.
 */
const fromUser = (blocks: readonly UserBlock[]): ChatMessage[] => {
  const results = blocks.filter((block) => block.type === "tool_result");
  const messages = results.map(
    (result): ChatMessage => ({ role: "tool", tool_call_id: result.tool_use_id, content: resultTextOf(result) }),
  );
  const parts = [...results.flatMap(imagesOf), ...blocks].flatMap(partsOf);
  if (parts.length === 0) return messages;
  const texts = parts.filter((part) => part.type === "text");
  const hasImages = texts.length < parts.length;
  return [
    ...messages,
    hasImages ? { role: "user", content: parts } : { role: "user", content: join(texts.map(({ text }) => text)) },
  ];
};

const fromAssistant = (blocks: readonly AssistantBlock[]): ChatMessage => {
  const reasoning = join(blocks.filter((block) => block.type === "thinking").map(reasoningIn));
  const tool_calls = blocks
    .filter((block) => block.type === "tool_use")
    .map(({ id, name, input }) => ({
      ...{ id, type: "function" as const },
      function: { name, arguments: JSON.stringify(input) },
    }));
  return {
    role: "assistant",
    content: join(blocks.filter((block) => block.type === "text").map(({ text }) => text)),
    // Some servers read one name, some the other.
    ...(reasoning !== "" && { reasoning, reasoning_content: reasoning }),
    ...(tool_calls.length > 0 && { tool_calls }),
  };
};

const messagesOf = ({ system, messages }: CountTokensRequest): ChatMessage[] => {
  const instructions = systemOf(system);
  const turns = turnsOf(messages).flatMap((turn) =>
    turn.role === "user" ? fromUser(turn.blocks) : [fromAssistant(turn.blocks)],
  );
  return instructions === "" ? turns : [{ role: "system", content: instructions }, ...turns];
};

const toolsOf = ({ tools }: CountTokensRequest): ChatCompletionRequest["tools"] =>
  tools?.map(({ name, description, input_schema, strict }) => ({
    type: "function",
    function: { name, description, parameters: input_schema, strict },
  }));

/** The messages and tools of a request, from which the model's template builds the prompt. */
export const promptOf = (body: CountTokensRequest) => ({ messages: messagesOf(body), tools: toolsOf(body) });

const toolChoiceOf = ({ tool_choice: choice }: MessagesRequest): Partial<ChatCompletionRequest> => {
  if (choice === undefined) return {};
  if (choice.type === "none") return { tool_choice: "none" };
  const isSingle = choice.disable_parallel_tool_use === true;
  return {
    ...(choice.type === "any" && { tool_choice: "required" }),
    ...(choice.type === "tool" && { tool_choice: { type: "function", function: { name: choice.name } } }),
    ...(isSingle && { parallel_tool_calls: false }),
  };
};

type Effort = ChatCompletionRequest["reasoning_effort"];

/** The effort for a thinking budget below this many tokens. */
const EFFORTS: readonly (readonly [budget: number, effort: Effort])[] = [
  [4096, "low"],
  [16_384, "medium"],
  [Number.POSITIVE_INFINITY, "high"],
];

/** Undefined lets the model's server decide. */
const effortOf = ({ thinking, output_config }: MessagesRequest): Effort => {
  if (thinking?.type === "disabled") return "none";
  if (output_config?.effort !== undefined) return output_config.effort;
  if (thinking?.type !== "enabled") return undefined;
  return EFFORTS.find(([budget]) => thinking.budget_tokens < budget)?.[1];
};

const formatOf = ({ output_config, output_format }: MessagesRequest): ChatCompletionRequest["response_format"] => {
  const format = output_config?.format ?? output_format;
  return format && { type: "json_schema", json_schema: { name: "output", schema: format.schema } };
};

/** Removes undefined fields, so that equal requests have equal cache keys. */
const withoutUndefined = <T extends object>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;

/** Translates a request for the chat service. `canReason`: whether the model accepts `reasoning_effort`. */
export const toChatRequest = (body: MessagesRequest, canReason: boolean): ChatCompletionRequest =>
  withoutUndefined({
    ...promptOf(body),
    ...toolChoiceOf(body),
    model: body.model,
    max_tokens: body.max_tokens,
    temperature: body.temperature,
    top_p: body.top_p,
    top_k: body.top_k,
    stop: body.stop_sequences,
    response_format: formatOf(body),
    reasoning_effort: canReason ? effortOf(body) : undefined,
  });
