import { createLog } from "../lib/log";
import { loadConfig } from "../lib/settings";
import { startGateway } from "./gateway";

const config = loadConfig();
const log = createLog("gateway", config.logLevel);
const gateway = await startGateway(config, log);
process.stdout.write(`Groundwire gateway listens on ${gateway.url}\n`);
if (gateway.createdAdminKey) process.stdout.write(`Admin key, shown this once: ${gateway.createdAdminKey}\n`);

let isClosing = false;
const stop = async (): Promise<void> => {
  // The second signal ends the process at once, for whoever does not want to wait for running answers.
  if (isClosing) process.exit(1);
  isClosing = true;
  await gateway.close();
  log.flush();
  process.exit(0);
};
process.on("SIGTERM", () => void stop());
process.on("SIGINT", () => void stop());
