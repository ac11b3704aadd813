import { runServerProcess } from "../lib/server-process";
import { startNode } from "./node";

const HELP = `Runs one GPU node in the foreground.

  bun run start:gpu-node
  GROUNDWIRE_NODE_HOST=0.0.0.0 GROUNDWIRE_NODE_TOKEN=… bun run start:gpu-node    for gateways on other machines

Settings: bun run config. Checks: bun run doctor. All processes with the default model: bun run start.`;

await runServerProcess({
  component: "gpu-node",
  help: HELP,
  async start(config, log) {
    const node = await startNode(config, { log });
    process.stdout.write(`GPU node: ${node.url}\n`);
    return { close: () => node.close(config.node.drainMs), working: node.ready };
  },
});
