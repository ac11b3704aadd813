import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "../../../lib/config";
import { silentLog } from "../../../lib/log";
import type { Call } from "../../call";
import { compose } from "../../compose";
import type { Principal } from "../../principal";
import type { Services } from "../../services";
import { startOwnNode } from "../own-node";

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
  const node = await startOwnNode(config, withChat);
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
