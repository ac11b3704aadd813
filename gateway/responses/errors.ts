import { AppError, toAppError } from "../../lib/errors";
import type { ChatPlan } from "./request";

/** The chat service's fields, with their names in this API. */
const FIELDS: Readonly<Record<string, string>> = {
  messages: "input",
  max_tokens: "max_output_tokens",
  max_completion_tokens: "max_output_tokens",
  reasoning_effort: "reasoning.effort",
  response_format: "text.format",
  "response_format.json_schema.schema": "text.format.schema",
  "tool_choice.function.name": "tool_choice.name",
};

/** Values that the chat service's errors quote, with their names in this API. */
const VALUES: readonly [string, string][] = [
  ['"image_url"', '"input_image"'],
  ['"tool"', '"function_call_output"'],
];

const messageField = (source: string | undefined, rest: string): string => {
  if (source === undefined) return "input";
  if (!source.startsWith("input.")) return source;
  if (rest.startsWith(".content.")) return source + rest.replace(/\.image_url\.url$/, ".image_url");
  return rest === "" ? source : `${source}.type`;
};

const ownField = (field: string, { sources, toolPlaces }: Omit<ChatPlan, "body">): string => {
  const [, message, rest = ""] = /^messages\.(\d+)(.*)$/.exec(field) ?? [];
  if (message !== undefined) return messageField(sources[Number(message)], rest);
  const [, tool, inner = ""] = /^tools\.(\d+)(.*)$/.exec(field) ?? [];
  if (tool !== undefined) return `tools.${toolPlaces[Number(tool)] ?? tool}${inner.replace(/^\.function/, "")}`;
  return FIELDS[field] ?? field;
};

/** Rewrites an error of the chat service in the terms of this API: `input.2.type` instead of `messages.3.role`. */
export const toOwnError = (thrown: unknown, plan: Omit<ChatPlan, "body">): AppError => {
  const error = toAppError(thrown);
  const { param } = error.detail;
  if (param === undefined) return error;
  const own = ownField(param, plan);
  if (own === param) return error;
  let message = error.message.replaceAll(param, own);
  for (const [value, ownValue] of VALUES) message = message.replaceAll(value, ownValue);
  return new AppError(error.kind, message, { ...error.detail, param: own, cause: error });
};
