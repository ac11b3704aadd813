import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { neededModels } from "../../gpu-node/models/catalogue";
import { ensureModel } from "../../gpu-node/models/download";
import { startNode } from "../../gpu-node/node";
import { startWorker } from "../../jobs/worker";
import type { Config } from "../../lib/config";
import { silentLog } from "../../lib/log";
import { drawProgress } from "../../lib/progress";
import { type Call, NO_DIRECTIVES } from "../call";
import { startGateway } from "../gateway";
import { apiClient } from "./api-client";

const NO_LIMIT = 1_000_000;
const POLL_MS = 100;

interface PlatformOptions {
  /** Also loads a chat model, which judges need. */
  withChat?: boolean;
  /** Also runs a jobs worker. */
  withWorker?: boolean;
  /** Folder of the database; a temporary one if omitted. */
  dataDir?: string;
}

export type Platform = Awaited<ReturnType<typeof startPlatform>>;

/** A gateway and, unless nodes are configured, a node in this process. Missing models are downloaded. */
export const startPlatform = async (base: Config, { withChat = false, withWorker, dataDir }: PlatformOptions = {}) => {
  const log = silentLog();
  const temporary = dataDir === undefined ? await mkdtemp(join(tmpdir(), "groundwire-")) : undefined;
  const node = await startOwnNode(base, withChat);
  const adminKey = crypto.randomUUID();
  const config: Config = {
    ...base,
    dataDir: dataDir ?? temporary ?? "",
    store: { ...base.store, url: undefined, redisUrl: undefined },
    gateway: {
      ...base.gateway,
      host: "127.0.0.1",
      port: 0,
      nodes: node ? [node.url] : base.gateway.nodes,
      adminKey,
      requestsPerMinute: NO_LIMIT,
    },
  };
  const { url, services, close } = await startGateway(config, log);
  const worker = withWorker
    ? await startWorker({ ...config, jobs: { ...config.jobs, gatewayUrl: url } }, log)
    : undefined;
  const principal = { ...(await services.keys.verify(`Bearer ${adminKey}`)), contentLogging: false };
  while (withWorker && !(await fetch(`${url}/readyz`)).ok) await Bun.sleep(POLL_MS);

  return {
    services,
    /** A call of a service as an admin. */
    call: (): Call => ({
      principal,
      requestId: "cli",
      signal: new AbortController().signal,
      priority: "batch",
      directives: NO_DIRECTIVES,
      receivedAt: performance.now(),
    }),
    /** Calls the API as an admin. Throws the API's errors. */
    ...apiClient(url, adminKey),
    async close() {
      await worker?.close(0);
      await close(0);
      await node?.close(0);
      if (temporary) await rm(temporary, { recursive: true, force: true });
    },
  };
};

const startOwnNode = async (config: Config, withChat: boolean) => {
  if (config.gateway.nodes.length > 0) return undefined;
  const engine = withChat ? config.node.engine : "synthetic";
  const embedder = config.node.embedder === "auto" ? "llama" : config.node.embedder;
  const own: Config = { ...config, node: { ...config.node, engine, embedder, port: 0 } };
  for (const { kind } of neededModels(own)) await ensureModel(kind, config, drawProgress(process.stderr));
  const node = await startNode(own, { log: silentLog() });
  await node.ready;
  return node;
};
