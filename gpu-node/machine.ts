import { cpus, freemem, totalmem } from "node:os";
import type { NodeEngine } from "./engine/engine";
import type { NodeMachine } from "./protocol";

const cores = cpus();
const cpu = cores[0]?.model.trim() || "unknown";

/** The machine of this process, with its memory in use now. */
export const machineOf = (engine: Pick<NodeEngine, "gpu">): NodeMachine => {
  const gpu = engine.gpu?.();
  return {
    cpu,
    cores: cores.length,
    memory: { used_bytes: totalmem() - freemem(), total_bytes: totalmem() },
    ...(gpu && { gpu }),
  };
};
