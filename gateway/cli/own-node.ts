import { neededModels } from "../../gpu-node/models/catalogue";
import { ensureModel } from "../../gpu-node/models/download";
import { startNode } from "../../gpu-node/node";
import type { Config } from "../../lib/config";
import { silentLog } from "../../lib/log";
import { drawProgress } from "../../lib/progress";

/**
 * Starts a node of this command on a free port; undefined if nodes are configured. It embeds, and with `withChat` it also
 * loads a chat model. Missing models are downloaded.
 */
export const startOwnNode = async (config: Config, withChat: boolean) => {
  if (config.gateway.nodes.length > 0) return undefined;
  const engine = withChat ? config.node.engine : "synthetic";
  const embedder = config.node.embedder === "auto" ? "llama" : config.node.embedder;
  const own: Config = { ...config, node: { ...config.node, engine, embedder, port: 0 } };
  for (const kind of neededModels(own.node)) await ensureModel(kind, config, drawProgress(process.stderr));
  const node = await startNode(own, { log: silentLog() });
  await node.ready;
  return node;
};
