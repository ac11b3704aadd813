import type { Config } from "../../lib/config";
import type { Log } from "../../lib/log";
import { embedderOf } from "../../lib/setting-rules";
import type { Embedder } from "./embedder";
import type { NodeEngine } from "./engine";
import { createLlamaHost, type LlamaHost } from "./llama/host";

/** The engine and embedder of a node. */
export interface Engines {
  engine: NodeEngine;
  /** Undefined if this node makes no embeddings. */
  embedder?: Embedder;
  close(): Promise<void>;
}

/** Creates the configured engine and embedder. Each is imported only if it is used, because llama loads native code. */
export const createEngines = async (config: Config, log: Log): Promise<Engines> => {
  const host = createLlamaHost(config.node, log);
  const engine = await createEngine(config, host, log);
  const embedder = await createEmbedder(config, host, log);
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

const createEngine = async (config: Config, host: LlamaHost, log: Log): Promise<NodeEngine> => {
  switch (config.node.engine) {
    case "llama":
      return (await import("./llama/llama")).createLlamaEngine(config, host, log);
    case "openai":
      return (await import("./openai/openai")).createOpenAiEngine(config, log);
    case "synthetic":
      return (await import("./synthetic")).createSyntheticEngine(config);
  }
};

const createEmbedder = async (config: Config, host: LlamaHost, log: Log): Promise<Embedder | undefined> => {
  switch (embedderOf(config.node)) {
    case "llama":
      return (await import("./llama/embedder")).createLlamaEmbedder(config, host, log);
    case "openai":
      return (await import("./openai/embedder")).createOpenAiEmbedder(config, log);
    case "synthetic":
      return (await import("./synthetic-embedder")).createSyntheticEmbedder(config);
    case "off":
      return undefined;
  }
};
