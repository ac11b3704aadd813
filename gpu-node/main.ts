import { AppError } from "../lib/errors";
import { createLog } from "../lib/log";
import { loadConfig } from "../lib/settings";
import { startNode } from "./node";

/** Process entry of the GPU node: settings → engine → listen. Exits 0 after SIGTERM or SIGINT, 1 when it can't run. */
const main = async (): Promise<void> => {
  const config = loadConfig();
  const log = createLog("gpu-node", config.logLevel);
  const node = await startNode(config, { log });
  console.log(`GPU node: ${node.url}`);

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await node.close(config.node.drainMs);
    log.flush();
    process.exit(0);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  await node.ready;
};

main().catch((thrown: unknown) => {
  console.error(thrown instanceof AppError ? thrown.message : thrown);
  process.exit(1);
});
