import { runServerProcess } from "../lib/server-process";
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
    if (gateway.createdAdminKey) process.stdout.write(`Admin key (shown only once): ${gateway.createdAdminKey}\n`);
    return gateway;
  },
});
