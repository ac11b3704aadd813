import { runServerProcess } from "../lib/server-process";
import { startWorker } from "./worker";

const HELP = `Runs one jobs worker in the foreground. It imports uploads into datasets and indexes, runs batch evaluations, and
delivers events to webhooks.

  bun run start:jobs
  LIBSQL_URL=http://10.0.0.5:8090 bun run start:jobs    more workers, on any machine that can reach the database

Settings: bun run config. Checks: bun run doctor. All processes with the default model: bun run start.`;

await runServerProcess({
  component: "jobs",
  help: HELP,
  async start(config, log) {
    const worker = await startWorker(config, log);
    process.stdout.write("Groundwire jobs worker is ready\n");
    return worker;
  },
});
