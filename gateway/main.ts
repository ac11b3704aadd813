import { toAppError } from "../lib/errors";
import { createLog } from "../lib/log";
import { loadConfig } from "../lib/settings";
import { EXIT, printError } from "./cli/command";
import { startGateway } from "./gateway";

const HELP = `Runs the gateway alone, in the foreground.

  bun run start:gateway
  GROUNDWIRE_NODES=http://10.0.0.5:8081 bun run start:gateway    the GPU nodes that it sends to

Settings: bun run config. Checks: bun run doctor. Both processes with the default model: bun run start.`;

/** EX_CONFIG of sysexits.h: this version and this database don't fit; trying again changes nothing. */
const EXIT_WRONG_DATABASE = 78;

/** Says in one line why the gateway can't start; a fault of its own with its stack. */
const giveUp = (thrown: unknown): never => {
  const { kind, message } = toAppError(thrown);
  printError(kind === "internal" && thrown instanceof Error ? (thrown.stack ?? thrown.message) : message);
  process.exit(kind === "conflict" ? EXIT_WRONG_DATABASE : EXIT.failed);
};

const start = async () => {
  const config = loadConfig();
  const log = createLog("gateway", config.logLevel);
  return { log, gateway: await startGateway(config, log) };
};

if (process.argv.includes("--help")) {
  process.stdout.write(`${HELP}\n`);
  process.exit(EXIT.ok);
}
const { gateway, log } = await start().catch(giveUp);
process.stdout.write(`Groundwire gateway listens on ${gateway.url}\n`);
if (gateway.createdAdminKey) process.stdout.write(`Admin key, shown this once: ${gateway.createdAdminKey}\n`);

let isClosing = false;
const stop = async (): Promise<void> => {
  // The second signal ends the process at once, for whoever does not want to wait for running answers.
  if (isClosing) process.exit(1);
  isClosing = true;
  // What failed stands in the log.
  const code = await gateway.close().then(
    () => EXIT.ok,
    () => EXIT.failed,
  );
  await new Promise((resolve) => log.flush(resolve));
  process.exit(code);
};
process.on("SIGTERM", () => void stop());
process.on("SIGINT", () => void stop());
