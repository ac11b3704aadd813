import type { Config } from "../../lib/config";
import { embedderOf } from "../../lib/setting-rules";
import type { ModelKind } from "./catalogue";

/** The kinds of model that a node with these settings loads from a file. */
export const neededModels = (node: Config["node"]): ModelKind[] => {
  const kinds: ModelKind[] = [];
  if (node.engine === "llama") kinds.push("chat");
  if (embedderOf(node) === "llama") kinds.push("embedding");
  return kinds;
};
