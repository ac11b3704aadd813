import { runServerProcess } from "../lib/server-process";
import { startGateway } from "./gateway";

const HELP = `Runs the gateway alone, in the foreground.

  bun run start:gateway
  GROUNDWIRE_NODES=http://10.0.0.5:8081 bun run start:gateway    the GPU nodes that it sends to

Settings: bun run config. Checks: bun run doctor. All processes with the default model: bun run start.`;

await runServerProcess({
  component: "gateway",
  help: HELP,
  async start(config, log) {
    const gateway = await startGateway(config, log);
    process.stdout.write(`Groundwire gateway listens on ${gateway.url}\n`);
    if (gateway.createdAdminKey) process.stdout.write(`Admin key, shown this once: ${gateway.createdAdminKey}\n`);
    return gateway;
  },
});
