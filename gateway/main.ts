import { runServerProcess } from "../lib/server-process";
import { writeAdminKeyFile } from "./admin-key-file";
import { startGateway } from "./gateway";

const HELP = `Runs only the gateway, in the foreground.

  bun run start:gateway
  GROUNDWIRE_NODES=http://10.0.0.5:8081 bun run start:gateway    with the GPU nodes to use

Settings: bun run config. Checks: bun run doctor. All processes with the default model: bun run start.`;

await runServerProcess({
  component: "gateway",
  help: HELP,
  async start(config, log) {
    const gateway = await startGateway(config, log);
    process.stdout.write(`Groundwire gateway listening on ${gateway.url}\n`);
    const { createdAdminKey: key } = gateway;
    if (key && process.stdout.isTTY) process.stdout.write(`Admin key (shown only once): ${key}\n`);
    else if (key) {
      const file = writeAdminKeyFile(key, config.dataDir);
      process.stdout.write(`Admin key: ${file} (read it, keep it safe, delete the file)\n`);
    }
    return gateway;
  },
});
