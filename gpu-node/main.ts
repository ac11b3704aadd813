import type { Config } from "../lib/config";
import { toAppError } from "../lib/errors";
import { createLog, type Log } from "../lib/log";
import { loadConfig } from "../lib/settings";
import { startNode } from "./node";

/** EX_USAGE of sysexits.h, as for every command: the settings can't be used. */
const EXIT_USAGE = 64;

/** Process entry of the GPU node: settings → engine → listen. Exits 0 after SIGTERM or SIGINT, 1 or 64 when it can't run. */
const main = async (): Promise<void> => {
  const config = loadConfig();
  const log = createLog("gpu-node", config.logLevel);
  try {
    await serve(config, log);
  } catch (thrown) {
    await written(log);
    throw thrown;
  }
};

const serve = async (config: Config, log: Log): Promise<void> => {
  const node = await startNode(config, { log });
  console.log(`GPU node: ${node.url}`);

  let isStopping = false;
  const stop = async (): Promise<void> => {
    // The second signal ends the process at once, for whoever does not want to wait for running answers.
    if (isStopping) process.exit(1);
    isStopping = true;
    await node.close(config.node.drainMs);
    await written(log);
    process.exit(0);
  };
  process.on("SIGTERM", () => void stop());
  process.on("SIGINT", () => void stop());
  await node.ready.catch((thrown: unknown) => {
    if (!isStopping) throw thrown; // loading is given up when the node closes
  });
};

const written = (log: Log): Promise<void> => new Promise((resolve) => log.flush(() => resolve()));

main().catch((thrown: unknown) => {
  const { kind, message } = toAppError(thrown);
  console.error(kind === "internal" ? thrown : message);
  process.exit(kind === "invalid_request" ? EXIT_USAGE : 1);
});
