import { type Static, Type } from "@sinclair/typebox";
import { OneOf, Strict } from "../contract";
import { ignored, optional, requires } from "./fields";
import { FunctionName } from "./message";

const MAX_TOOLS = 128;

/** A function that the model may call. The caller runs it. */
const Tool = Strict(
  {
    type: Type.Literal("function"),
    function: Strict({
      name: FunctionName,
      description: optional(Type.String(), ""),
      parameters: optional(Type.Record(Type.String(), Type.Unknown(), { description: "JSON schema of the arguments" })),
      strict: optional(Type.Boolean(), false),
    }),
    cache_control: ignored,
  },
  { title: "Tool" },
);
export type Tool = Static<typeof Tool>;

/** The functions that a model may call. */
export const ToolList = Type.Array(Tool, { maxItems: MAX_TOOLS, description: requires("tools") });

export const ToolChoice = Type.Union(
  [
    OneOf(["none", "auto", "required"]),
    Strict({ type: Type.Literal("function"), function: Strict({ name: FunctionName }) }),
  ],
  { title: "ToolChoice", description: "Whether the model calls functions, or which one it must call" },
);
