import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { neededModels } from "../../../gpu-node/models/catalogue";
import { ensureModel } from "../../../gpu-node/models/download";
import { startNode } from "../../../gpu-node/node";
import type { Config } from "../../../lib/config";
import { silentLog } from "../../../lib/log";
import { drawProgress } from "../../../lib/progress";
import type { Call } from "../../call";
import { compose } from "../../compose";
import type { Principal } from "../../principal";
import type { Services } from "../../services";

/** The gateway's services with a temporary database. Unless nodes are configured, a node is started too. */
export interface Platform {
  services: Pick<Services, "embeddings" | "evals" | "evaluators">;
  /** The context in which this command calls models for each row. */
  call(): Call;
  close(): Promise<void>;
}

const PRINCIPAL: Principal = {
  keyId: "cli",
  keyName: "this command",
  role: "admin",
  limits: { requestsPerMinute: Number.MAX_SAFE_INTEGER, parallelRequests: Number.MAX_SAFE_INTEGER },
  contentLogging: false,
  via: "key",
};

/** `withChat` also loads a chat model, which judges need. */
export const startPlatform = async (config: Config, withChat: boolean): Promise<Platform> => {
  const log = silentLog();
  const dataDir = await mkdtemp(join(tmpdir(), "groundwire-agreement-"));
  const node = config.gateway.nodes.length > 0 ? undefined : await startOwnNode(config, withChat);
  const nodes = node ? [node.url] : config.gateway.nodes;
  const composition = await compose(
    { ...config, dataDir, store: { ...config.store, url: undefined }, gateway: { ...config.gateway, nodes } },
    log,
  );
  await composition.open();
  return {
    services: composition.services,
    call: () => ({
      principal: PRINCIPAL,
      requestId: "agreement",
      signal: new AbortController().signal,
      priority: "batch",
      directives: { noCache: false, noStore: false, onlyIfCached: false },
      receivedAt: performance.now(),
    }),
    async close() {
      await composition.close(0);
      await node?.close(0);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
};

const startOwnNode = async (config: Config, withChat: boolean) => {
  const engine = withChat ? config.node.engine : "synthetic";
  const embedder = config.node.embedder === "auto" ? "llama" : config.node.embedder;
  const own: Config = { ...config, node: { ...config.node, engine, embedder, port: 0 } };
  for (const kind of neededModels(own.node)) await ensureModel(kind, config, drawProgress(process.stderr));
  const node = await startNode(own, { log: silentLog() });
  await node.ready;
  return node;
};
