import { AppError } from "../../lib/errors";
import type { ChatCompletionRequest } from "../chat/contract";
import { checkMetadataNames } from "../validation/metadata";
import { type CreateResponse, SCHEMA_NAME } from "./contract";
import { type InputItem, type Item, itemId } from "./items";
import { type SourcedItem, toMessages } from "./messages";

type InputContent = Extract<Item, { type: "message" }>["content"];
type GivenPart = Exclude<Extract<InputItem, { role: string }>["content"], string>[number];

const toPart = (part: GivenPart): InputContent[number] => {
  switch (part.type) {
    case "input_text":
      return { type: part.type, text: part.text };
    case "input_image":
      return { type: part.type, image_url: part.image_url, detail: part.detail ?? "auto" };
    case "output_text":
      return { type: part.type, text: part.text, annotations: [], logprobs: [] };
    default:
      return part;
  }
};

const textPart = (role: string, text: string): InputContent[number] =>
  role === "assistant" ? toPart({ type: "output_text", text }) : { type: "input_text", text };

/** The ids of the items that `input` refers to. Throws invalid_request if it refers to one twice. */
export const referencesIn = (input: CreateResponse["input"]): string[] => {
  if (typeof input === "string") return [];
  const ids = new Set<string>();
  for (const [place, item] of input.entries()) {
    if (!isReference(item)) continue;
    if (ids.has(item.id)) {
      const param = `input.${place}.id`;
      throw new AppError("invalid_request", `${param} repeats an earlier item_reference. Leave it out.`, { param });
    }
    ids.add(item.id);
  }
  return [...ids];
};

type Reference = Extract<InputItem, { type?: "item_reference" }>;
const isReference = (item: InputItem): item is Reference =>
  item.type === "item_reference" || (item.type === undefined && !("role" in item));

/**
 * The items of `input` as they are stored. An item without an id gets one that belongs to `responseId`. `known`
 * contains the items that references may name. Throws not_found for a reference to any other item.
 */
export const toItems = (
  input: CreateResponse["input"],
  responseId: string,
  known: ReadonlyMap<string, Item> = new Map(),
): Item[] => {
  if (typeof input === "string") return toItems([{ role: "user", content: input }], responseId);
  return input.map((given, place): Item => {
    if (isReference(given)) return known.get(given.id) ?? missingItem(given.id, place);
    const idOf = (prefix: Parameters<typeof itemId>[0]) => given.id ?? itemId(prefix, responseId, place, "input");
    const status = given.status ?? "completed";
    if ("role" in given) {
      const { role, content } = given;
      const parts = typeof content === "string" ? [textPart(role, content)] : (content as GivenPart[]).map(toPart);
      return { type: "message", id: idOf("msg"), status, role, content: parts };
    }
    switch (given.type) {
      case "function_call": {
        const { type, call_id, name, arguments: json } = given;
        return { type, id: idOf("fc"), call_id, name, arguments: json, status };
      }
      case "function_call_output": {
        const { type, call_id, output } = given;
        const parts = typeof output === "string" ? output : output.map(({ type, text }) => ({ type, text }));
        return { type, id: idOf("fco"), call_id, output: parts, status };
      }
      case "compaction":
        return { type: given.type, id: idOf("cmp"), encrypted_content: given.encrypted_content };
      default: {
        const { type, summary, content = [] } = given;
        return { type, id: idOf("rs"), status, summary, content };
      }
    }
  });
};

const missingItem = (id: string, place: number): never => {
  const param = `input.${place}.id`;
  const message = `${param} is ${JSON.stringify(id)}, which is not an item of a stored response. Send the item itself.`;
  throw new AppError("not_found", message, { param });
};

/** A request for the chat service, and where its parts come from. */
export interface ChatPlan {
  body: ChatCompletionRequest;
  /** The field that each of the body's messages comes from: `input.2`, `instructions` or `previous_response_id`. */
  sources: readonly string[];
  /** The index in the request of each of the body's tools. */
  toolPlaces: readonly number[];
}

/**
 * Translates a request for the chat service. `history` contains the items of the responses that it continues, `items`
 * those of its own input. Throws invalid_request for a result without its call, and for an allowed function that isn't
 * in `tools`.
 */
export const toChat = (request: CreateResponse, history: readonly Item[], items: readonly Item[]): ChatPlan => {
  const context: SourcedItem[] = [
    ...history.map((item) => ({ item, source: "previous_response_id" })),
    ...items.map((item, place) => ({ item, source: typeof request.input === "string" ? "input" : `input.${place}` })),
  ];
  checkMetadataNames(request.metadata);
  assertCalls(context);
  const { messages, sources } = toMessages(request.instructions, context);
  const toolPlaces = allowedPlaces(request);
  const { text, reasoning, tools } = request;
  const fields = {
    model: request.model,
    max_completion_tokens: request.max_output_tokens,
    temperature: request.temperature,
    top_p: request.top_p,
    presence_penalty: request.presence_penalty,
    frequency_penalty: request.frequency_penalty,
    tools: tools && toolPlaces.map((place) => toTool(tools[place] as Tool)),
    tool_choice: toToolChoice(request.tool_choice),
    parallel_tool_calls: request.parallel_tool_calls,
    response_format: toResponseFormat(text?.format),
    reasoning_effort: reasoning?.effort,
  };
  // The chat service treats an undefined field as given.
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  return { body: { messages, ...given }, sources, toolPlaces };
};

const assertCalls = (context: readonly SourcedItem[]): void => {
  const calls = new Set<string>();
  for (const { item, source } of context) {
    if (item.type === "function_call") calls.add(item.call_id);
    if (item.type !== "function_call_output" || calls.has(item.call_id)) continue;
    const message = `${source}.call_id is ${JSON.stringify(item.call_id)}, but no function_call before it has this id. Send the call too, or its response's id as previous_response_id.`;
    throw new AppError("invalid_request", message, { param: `${source}.call_id` });
  }
};

type Tool = NonNullable<CreateResponse["tools"]>[number];

const toTool = ({ type, ...named }: Tool) => ({ type, function: named });

/** Indexes of the functions that the model may call. */
const allowedPlaces = ({ tools = [], tool_choice: choice }: CreateResponse): number[] => {
  if (typeof choice !== "object" || choice.type !== "allowed_tools") return tools.map((_, place) => place);
  for (const [place, { name }] of choice.tools.entries()) {
    if (tools.some((tool) => tool.name === name)) continue;
    const param = `tool_choice.tools.${place}.name`;
    const known = tools.map((tool) => tool.name).join(", ") || "tools is empty";
    throw new AppError("invalid_request", `${param} is "${name}", which is not in tools: ${known}.`, { param });
  }
  const allowed = new Set(choice.tools.map(({ name }) => name));
  return tools.flatMap(({ name }, place) => (allowed.has(name) ? [place] : []));
};

const toToolChoice = (choice: CreateResponse["tool_choice"]): ChatCompletionRequest["tool_choice"] => {
  if (typeof choice !== "object") return choice;
  if (choice.type === "function") return { type: "function", function: { name: choice.name } };
  return choice.mode;
};

type Format = NonNullable<NonNullable<CreateResponse["text"]>["format"]>;

const toResponseFormat = (format: Format | undefined): ChatCompletionRequest["response_format"] => {
  if (format?.type !== "json_schema") return format;
  const { type, ...schema } = format;
  return { type, json_schema: { ...schema, name: schema.name ?? SCHEMA_NAME } };
};
