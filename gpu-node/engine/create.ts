import type { Config } from "../../lib/config";
import type { Log } from "../../lib/log";
import { embedderOf } from "../../lib/setting-rules";
import type { Embedder, NodeEngine } from "./engine";
import { createLlamaHost, type LlamaHost } from "./llama/host";

/** The engine and embedder of a node. */
export interface Engines {
  engine: NodeEngine;
  /** Undefined if this node does not serve embeddings. */
  embedder?: Embedder;
  close(): Promise<void>;
}

/** Creates the configured engine and embedder. Imports only those, because llama loads native code. */
export const createEngines = async (config: Config, log: Log): Promise<Engines> => {
  const host = createLlamaHost(config.node, log);
  const engine = await engines[config.node.engine](config, host, log);
  const embedder = await embedders[embedderOf(config.node)](config, host, log);
  return {
    engine,
    embedder,
    close: async () => {
      await engine.close();
      await embedder?.close();
      await host.dispose();
    },
  };
};

type Create<T> = (config: Config, host: LlamaHost, log: Log) => Promise<T>;

const engines: Record<Config["node"]["engine"], Create<NodeEngine>> = {
  llama: async (config, host, log) => (await import("./llama/llama")).createLlamaEngine(config, host, log),
  openai: async (config, _, log) => (await import("./openai/openai")).createOpenAiEngine(config, log),
  synthetic: async (config) => (await import("./synthetic")).createSyntheticEngine(config),
};

const embedders: Record<ReturnType<typeof embedderOf>, Create<Embedder | undefined>> = {
  llama: async (config, host, log) => (await import("./llama/embedder")).createLlamaEmbedder(config, host, log),
  openai: async (config, _, log) => (await import("./openai/embedder")).createOpenAiEmbedder(config, log),
  synthetic: async (config) => (await import("./synthetic")).createSyntheticEmbedder(config),
  off: async () => undefined,
};
