import { type Static, Type } from "@sinclair/typebox";
import { invalidField } from "./fields";
import { Flag, Ignored, JsonSchema, Strict, Text } from "./schema";

export const FunctionName = Type.String({
  pattern: "^[a-zA-Z0-9_-]{1,64}$",
  description: "a name of 1 to 64 letters, digits, _ and -",
});

const ToolFunction = Strict({
  name: FunctionName,
  description: Type.Optional(Text),
  parameters: Type.Optional(JsonSchema),
  strict: Flag,
});
/**
 * A function that the model may call. `parameters` is the JSON schema of its arguments; a function without it has none.
 */
export type ToolFunction = Static<typeof ToolFunction>;

const Tool = Strict({ type: Type.Literal("function"), function: ToolFunction, cache_control: Ignored }, "functions");

/** A request's fields about functions. */
export const TOOL_FIELDS = {
  tools: Type.Optional(Type.Array(Tool, { maxItems: 128 })),
  tool_choice: Type.Optional(
    Type.Union([
      Type.Literal("none"),
      Type.Literal("auto"),
      Type.Literal("required"),
      Strict({ type: Type.Literal("function"), function: Strict({ name: FunctionName }) }),
    ]),
  ),
  parallel_tool_calls: Flag,
};

/** The functions that an answer may call. */
export interface ToolUse {
  tools: ToolFunction[];
  /** The names of the functions of which the answer must call one, once; undefined if it may be text. */
  required?: string[];
  /** Whether the answer may contain several calls. */
  isParallel: boolean;
}

type ToolFields = Static<ReturnType<typeof Type.Object<typeof TOOL_FIELDS>>>;

/** Reads a request's fields about functions; undefined if the answer may not call any. Throws invalid_request. */
export const toolUseOf = (fields: ToolFields): ToolUse | undefined => {
  const { tool_choice: choice = "auto", parallel_tool_calls: isParallel = true } = fields;
  const tools = fields.tools?.map((tool) => tool.function) ?? [];
  const wrong = tools.findIndex(({ parameters }) => parameters?.type !== undefined && parameters.type !== "object");
  if (wrong >= 0) {
    const param = `tools.${wrong}.function.parameters.type`;
    throw invalidField(param, `${param} must be "object": arguments are sent as a JSON object.`);
  }
  if (choice === "none" || (choice === "auto" && tools.length === 0)) return undefined;
  if (tools.length === 0)
    throw invalidField("tool_choice", "tool_choice requires tools. Send tools, or leave tool_choice out.");
  const names = tools.map(({ name }) => name);
  if (choice === "auto") return { tools, required: undefined, isParallel };
  // Small models don't stop after a call that they have to make, and repeat it.
  if (choice === "required") return { tools, required: names, isParallel: false };
  const { name } = choice.function;
  if (names.includes(name)) return { tools, required: [name], isParallel: false };
  const param = "tool_choice.function.name";
  throw invalidField(param, `${param} is "${name}", which is not in tools: ${names.join(", ")}.`);
};
