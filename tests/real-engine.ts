import type { NodeEngine } from "../gpu-node/engine/engine";
import { createLlamaHost } from "../gpu-node/engine/llama/host";
import { createLlamaEngine } from "../gpu-node/engine/llama/llama";
import { silentLog } from "../lib/log";
import { defaultConfig } from "../lib/settings";

/** Loads the embedded engine with the default chat model, on one thread. `close` also frees llama.cpp. */
export const loadRealEngine = async (
  node: { slots: number; contextTokens: number },
  onProgress: (fraction: number) => void = () => {},
): Promise<NodeEngine> => {
  const config = defaultConfig({ node: { ...node, threads: 1, gpu: "off" } });
  const host = createLlamaHost(config.node, silentLog());
  const engine = createLlamaEngine(config, host, silentLog());
  await engine.load(onProgress);
  return {
    ...engine,
    close: async () => {
      await engine.close();
      await host.dispose();
    },
  };
};
