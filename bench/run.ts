import { mkdir } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { batchEvals } from "./batch-evals";
import { batchTtft } from "./batch-ttft";
import { embeddings } from "./embeddings";
import { engineThroughput } from "./engine";
import { exportsOfRun } from "./exports";
import { gatewayMemory } from "./gateway-memory";
import { gatewayOverhead, gatewayOverheadGuard } from "./gateway-overhead";
import { idle } from "./idle";
import { ingestion } from "./ingestion";
import { runPages } from "./run-pages";
import { search } from "./search";
import { slo } from "./slo";

const SCENARIOS: Record<string, (args: string[]) => Promise<unknown>> = {
  engine: engineThroughput,
  embeddings,
  "batch-evals": batchEvals,
  "batch-ttft": batchTtft,
  exports: exportsOfRun,
  "gateway-overhead": gatewayOverhead,
  guard: gatewayOverheadGuard,
  "gateway-memory": gatewayMemory,
  idle,
  ingestion,
  "run-pages": runPages,
  search,
  slo,
};

const [name, ...options] = process.argv.slice(2);
const scenario = name === undefined ? undefined : SCENARIOS[name];
if (name === undefined || !scenario) {
  process.stdout.write(`Usage: bun run bench <scenario>\n\n${Object.keys(SCENARIOS).join("\n")}\n`);
  process.exit(name === undefined ? 0 : 1);
}

const loadBefore = loadavg();
const measured = await scenario(options);
const report = {
  scenario: name,
  at: new Date().toISOString(),
  machine: { cpu: cpus()[0]?.model, cores: cpus().length, bun: Bun.version, loadBefore },
  measured,
};
const folder = join(import.meta.dir, "results");
await mkdir(folder, { recursive: true });
// The guard compares two versions and records nothing.
if (name !== "guard") await Bun.write(join(folder, `${name}.json`), `${JSON.stringify(report, null, 2)}\n`);
process.stdout.write(`${JSON.stringify(measured, null, 2)}\n`);
