import type { ModelCapabilities } from "../../gpu-node/protocol";
import { AppError } from "../../lib/errors";
import { isObject } from "../../lib/is-object";
import { type Gap, missing, refusal } from "../chat/capabilities";
import { levelsOf, MAX_LEVELS } from "../chat/extra-fields";
import type { RequestedModel } from "../chat/request";
import type { CountTokensRequest, MessagesRequest } from "./contract";

const invalid = (param: string, message: string): AppError => new AppError("invalid_request", message, { param });

/* Requests that don't match the schema: errors that explain which parts of Anthropic's API are not supported. */

type Fields = Record<string, unknown>;

const entriesOf = (list: unknown): [index: number, item: Fields][] =>
  Array.isArray(list) ? [...list.entries()].filter(([, item]) => isObject(item)) : [];

const quoted = (type: unknown): string => JSON.stringify(String(type).slice(0, 60));

/** What to do instead of sending a block of a type. */
const REMEDIES: Readonly<Record<string, string>> = {
  document: "Send its text in a text block",
  search_result: "Send its text in a text block",
};

const KNOWN_BLOCKS = new Set([
  "text",
  "image",
  "tool_use",
  "tool_result",
  "tool_reference",
  "thinking",
  "redacted_thinking",
]);

const refuseBlocks = (blocks: unknown, path: string): void => {
  for (const [index, block] of entriesOf(blocks)) {
    const { type, source } = block;
    const at = `${path}.${index}`;
    if (typeof type === "string" && !KNOWN_BLOCKS.has(type)) {
      const remedy = REMEDIES[type] ?? "Leave it out";
      throw invalid(`${at}.type`, `${at}.type ${quoted(type)} is not supported. ${remedy}.`);
    }
    if (type === "image" && isObject(source) && typeof source.type === "string" && source.type !== "base64") {
      const param = `${at}.source.type`;
      throw invalid(
        param,
        `${param} must be "base64", not ${quoted(source.type)}. Send the image's data: this route doesn't fetch images.`,
      );
    }
    if (type === "tool_result") refuseBlocks(block.content, `${at}.content`);
  }
};

/** Throws invalid_request for content blocks, image sources and tools that only Anthropic's own API supports. */
export const refuseUnsupported = (body: unknown): void => {
  if (!isObject(body)) return;
  for (const [index, { type }] of entriesOf(body.tools)) {
    if (typeof type !== "string" || type === "custom") continue;
    const param = `tools.${index}.type`;
    const message = `${param} must be "custom", not ${quoted(type)}. Anthropic's own tools are not available.`;
    throw invalid(param, message);
  }
  for (const [index, { content }] of entriesOf(body.messages)) refuseBlocks(content, `messages.${index}.content`);
};

/*
 * Valid requests: refuses what the model can't do. The chat service checks the same, but its errors name its own
 * fields.
 */

/** The first block that the model can't read. */
const findBlockGap = ({ messages }: CountTokensRequest, can: ModelCapabilities): Gap | undefined => {
  for (const [messageIndex, { content }] of messages.entries()) {
    if (typeof content === "string") continue;
    for (const [index, block] of content.entries()) {
      const path = `messages.${messageIndex}.content.${index}`;
      if (!can.tools && (block.type === "tool_use" || block.type === "tool_result")) {
        return missing(`${path}.type`, "tools", ` "${block.type}"`);
      }
      if (can.vision) continue;
      if (block.type === "image") return missing(`${path}.type`, "vision", ' "image"');
      if (block.type !== "tool_result" || typeof block.content !== "object") continue;
      const inner = block.content.findIndex(({ type }) => type === "image");
      if (inner >= 0) return missing(`${path}.content.${inner}.type`, "vision", ' "image"');
    }
  }
  return undefined;
};

const findGap = (body: CountTokensRequest, can: ModelCapabilities): Gap | undefined => {
  if (!can.chat) return { ...missing("messages", "chat"), remedy: "Use a model with the capability chat" };
  if (!can.tools && body.tools !== undefined) return missing("tools", "tools");
  if (!can.json_schema && body.output_config?.format !== undefined) {
    return missing("output_config.format", "json_schema");
  }
  if (!can.json_schema && body.output_format !== undefined) return missing("output_format", "json_schema");
  return findBlockGap(body, can);
};

const checkTools = ({ tools = [], tool_choice: choice }: CountTokensRequest): void => {
  const deep = tools.findIndex(({ input_schema }) => levelsOf(input_schema) > MAX_LEVELS);
  if (deep >= 0) {
    const param = `tools.${deep}.input_schema`;
    throw invalid(param, `${param} is nested more than ${MAX_LEVELS} levels deep.`);
  }
  if (choice?.type !== "any" && choice?.type !== "tool") return;
  if (tools.length === 0) {
    throw invalid("tool_choice", "tool_choice requires tools. Send tools, or leave tool_choice out.");
  }
  if (choice.type !== "tool" || tools.some(({ name }) => name === choice.name)) return;
  const known = tools.map(({ name }) => name).join(", ");
  throw invalid("tool_choice.name", `tool_choice.name is "${choice.name}", which is not in tools: ${known}.`);
};

/** Throws invalid_request, naming the field, if the model can't read the prompt. */
export const assertReadable = (body: CountTokensRequest, { id, capabilities }: RequestedModel): void => {
  const gap = capabilities && findGap(body, capabilities);
  if (gap) throw refusal(gap, id);
  checkTools(body);
};

/** Throws invalid_request, naming the field, if the model can't answer the request. */
export const assertAnswerable = (body: MessagesRequest, model: RequestedModel): void => {
  assertReadable(body, model);
  const last = body.messages.length - 1;
  if (body.messages[last]?.role !== "assistant") return;
  const param = `messages.${last}.role`;
  throw invalid(
    param,
    `${param} must not be "assistant" in the last message: the model can't continue an answer. End with a user message.`,
  );
};
