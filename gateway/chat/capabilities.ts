import type { ModelCapabilities } from "../../gpu-node/protocol";
import { AppError } from "../../lib/errors";
import { levelsOf, MAX_LEVELS } from "./extra-fields";
import { EXTRA, type GenerationRequest, type Operation, type RequestedModel } from "./request";

/** A field that asks for something the model can't do. */
export interface Gap {
  param: string;
  /** Start of the error message, up to the model's name: `tools is not supported by`. */
  problem: string;
  remedy: string;
}

export const missing = (param: string, capability: keyof ModelCapabilities, value = ""): Gap => ({
  param,
  problem: `${param}${value} is not supported by`,
  remedy: `Leave it out, or use a model with the capability ${capability}`,
});

/** The fields of a request that depend on the model. They haven't been validated, so they may have any value. */
export interface ModelDependentFields {
  messages?: unknown;
  tools?: unknown;
  tool_choice?: unknown;
  n?: unknown;
  logprobs?: unknown;
  response_format?: unknown;
  reasoning_effort?: unknown;
  [EXTRA]?: Record<string, unknown>;
}

/** The first field that asks for something the model can't do. The body may be invalid. */
export const findGap = (operation: Operation, body: ModelDependentFields, can: ModelCapabilities): Gap | undefined => {
  if (operation === "chat" && !can.chat) {
    const remedy = "Use POST /v1/completions, or a model with the capability chat";
    return { ...missing("messages", "chat"), remedy };
  }
  if (typeof body.n === "number" && body.n > can.max_choices) {
    const most = can.max_choices === 1 ? "1" : `${can.max_choices} or less`;
    const remedy = "Send a lower n, or use a model with a higher max_choices";
    return { param: "n", problem: `n is ${body.n}, but must be ${most} for`, remedy };
  }
  if (!can.logprobs && body.logprobs !== undefined && body.logprobs !== false) return missing("logprobs", "logprobs");
  if (!can.json_schema && body.response_format !== undefined && !isText(body.response_format)) {
    return missing("response_format", "json_schema");
  }
  if (!can.tools) {
    if (body.tools !== undefined) return missing("tools", "tools");
    if (body.tool_choice !== undefined && body.tool_choice !== "none") return missing("tool_choice", "tools");
  }
  if (!can.reasoning && body.reasoning_effort !== undefined && !NO_EFFORT.has(body.reasoning_effort)) {
    return missing("reasoning_effort", "reasoning");
  }
  for (const name in body[EXTRA]) {
    if (can.extra_fields.includes(name)) continue;
    const remedy = `Leave it out, or use a model that lists ${name} in extra_fields`;
    return { ...missing(name, "extra_fields"), remedy };
  }
  return Array.isArray(body.messages) ? findMessageGap(body.messages, can) : undefined;
};

/** Values of `reasoning_effort` that have no effect on a model without reasoning: OpenAI's defaults. */
const NO_EFFORT = new Set<unknown>(["none", "medium"]);

const isText = (format: unknown): boolean =>
  typeof format === "object" && format !== null && "type" in format && format.type === "text";

const findPartGap = (parts: readonly unknown[], path: string, can: ModelCapabilities): Gap | undefined => {
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] as { type?: unknown } | null;
    const param = `${path}.${index}.type`;
    if (!can.vision && part?.type === "image_url") return missing(param, "vision", ' "image_url"');
    if (!can.audio_input && part?.type === "input_audio") return missing(param, "audio_input", ' "input_audio"');
  }
  return undefined;
};

const findMessageGap = (messages: readonly unknown[], can: ModelCapabilities): Gap | undefined => {
  if (can.tools && can.vision && can.audio_input) return undefined;
  for (let index = 0; index < messages.length; index++) {
    const message = messages[index] as Record<string, unknown> | null;
    if (typeof message !== "object" || message === null) continue;
    if (message.role === "user") {
      const gap = Array.isArray(message.content)
        ? findPartGap(message.content, `messages.${index}.content`, can)
        : null;
      if (gap) return gap;
      continue;
    }
    if (!can.tools) {
      if (message.role === "tool") return missing(`messages.${index}.role`, "tools", ' "tool"');
      if (message.tool_calls !== undefined) return missing(`messages.${index}.tool_calls`, "tools");
    }
  }
  return undefined;
};

export const refusal = ({ param, problem, remedy }: Gap, model: string): AppError =>
  new AppError(
    "invalid_request",
    `${problem} the model "${model}". ${remedy}. GET /v1/models shows what each model supports.`,
    { param },
  );

/**
 * Throws invalid_request, naming the field and the model, if the model can't do what the request asks for. While the
 * model's capabilities are unknown, throws unavailable for fields that only its server may know, and checks nothing
 * else.
 */
export const assertCapable = (
  operation: Operation,
  body: ModelDependentFields,
  { id, capabilities }: RequestedModel,
): void => {
  if (!capabilities && body[EXTRA]) throw notReported(id, Object.keys(body[EXTRA]));
  const gap = capabilities && findGap(operation, body, capabilities);
  if (gap) throw refusal(gap, id);
};

const notReported = (model: string, [param = ""]: string[]): AppError =>
  new AppError(
    "unavailable",
    `${param} depends on the model "${model}", which no GPU node has reported yet. Try again in a second.`,
    { param, retryAfterMs: 1000 },
  );

/** Throws invalid_request if `parameters` is nested too deeply, or if `tool_choice` requires a missing function. */
export const assertTools = (body: GenerationRequest): void => {
  if (!("messages" in body)) return;
  const { tools, tool_choice: choice } = body;
  const deep = tools ? tools.findIndex(({ function: { parameters } }) => levelsOf(parameters) > MAX_LEVELS) : -1;
  if (deep >= 0) {
    const param = `tools.${deep}.function.parameters`;
    throw new AppError("invalid_request", `${param} is nested more than ${MAX_LEVELS} levels deep.`, { param });
  }
  if (choice === undefined || choice === "none") return;
  if (tools === undefined && choice !== "auto") {
    throw new AppError("invalid_request", "tool_choice requires tools. Send tools, or leave tool_choice out.", {
      param: "tool_choice",
    });
  }
  if (typeof choice === "string" || tools?.some((tool) => tool.function.name === choice.function.name)) return;
  const known = tools?.map((tool) => tool.function.name).join(", ");
  throw new AppError(
    "invalid_request",
    `tool_choice.function.name is "${choice.function.name}", which is not in tools: ${known}.`,
    { param: "tool_choice.function.name" },
  );
};

/** Throws invalid_request if a request asks for several answers on a route that returns one. */
export const assertOneChoice = ({ n = 1 }: GenerationRequest): void => {
  if (n === 1) return;
  throw new AppError(
    "invalid_request",
    `n must be 1 here, not ${n}. Use POST /v1/chat/completions for several answers.`,
    {
      param: "n",
    },
  );
};

/** Throws invalid_request for a tool that isn't a function, such as OpenAI's hosted web search. */
export const assertFunctions = ({ tools }: ModelDependentFields): void => {
  if (!Array.isArray(tools)) return;
  const index = tools.findIndex((tool) => typeof tool?.type === "string" && tool.type !== "function");
  if (index === -1) return;
  const param = `tools.${index}.type`;
  const type = JSON.stringify(tools[index].type.slice(0, 60));
  throw new AppError("invalid_request", `${param} must be "function", not ${type}. Hosted tools are not available.`, {
    param,
  });
};
