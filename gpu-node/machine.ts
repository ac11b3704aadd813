import { cpus, freemem, totalmem } from "node:os";
import type { NodeEngine } from "./engine/engine";
import type { NodeMachine } from "./protocol";

const cores = cpus();
const cpu = cores[0]?.model.trim() || "unknown";

/** The machine that this process runs on, with the memory currently in use. */
export const machineOf = (engine: Pick<NodeEngine, "gpu">): NodeMachine => {
  const gpu = engine.gpu?.();
  return {
    cpu,
    cores: cores.length,
    memory: { used_bytes: totalmem() - freemem(), total_bytes: totalmem() },
    ...(gpu && { gpu }),
  };
};
