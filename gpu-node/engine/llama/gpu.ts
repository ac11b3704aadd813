import type { Llama } from "node-llama-cpp";
import type { NodeMachine } from "../../protocol";

const FRESH_MS = 5000;

/** Returns the latest known use of the GPUs, and reads it again in the background if it is older than five seconds. */
export const watchGpu = (llama: Llama): (() => NodeMachine["gpu"]) => {
  let known: NodeMachine["gpu"];
  let readAt = Number.NEGATIVE_INFINITY;
  const read = async () => {
    const [{ used, total }, names] = await Promise.all([llama.getVramState(), llama.getGpuDeviceNames()]);
    known = { names, memory: { used_bytes: used, total_bytes: total } };
  };
  return () => {
    if (performance.now() - readAt > FRESH_MS) {
      readAt = performance.now();
      read().catch(() => {}); // llama.cpp is closing
    }
    return known;
  };
};
