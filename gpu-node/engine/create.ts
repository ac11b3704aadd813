import type { Config } from "../../lib/config";
import type { Log } from "../../lib/log";
import type { NodeEngine } from "./engine";

/** The engine that the configuration names. Each is imported only where it runs: llama brings native code. */
export const createEngine = async (config: Config, log: Log): Promise<NodeEngine> => {
  switch (config.node.engine) {
    case "llama":
      return (await import("./llama/llama")).createLlamaEngine(config, log);
    case "openai":
      return (await import("./openai/openai")).createOpenAiEngine(config, log);
    case "synthetic":
      return (await import("./synthetic")).createSyntheticEngine(config);
  }
};
