/**
 * A jobs worker with the stand-in for extraction and chunking, as a process that tests can kill:
 * `bun tests/rag-worker.ts DATA_DIR GATEWAY_URL`.
 */
import { startWorker } from "../jobs/worker";
import { silentLog } from "../lib/log";
import { defaultConfig } from "../lib/settings";
import { standIn } from "./rag-stand-in";

const [dataDir = "", gatewayUrl] = process.argv.slice(2);
const base = defaultConfig();
await startWorker({ ...base, dataDir, jobs: { ...base.jobs, gatewayUrl } }, silentLog(), standIn);
process.stdout.write("ready\n");
