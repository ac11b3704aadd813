import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startWorker } from "../../../jobs/worker";
import type { Config } from "../../../lib/config";
import { fromEnvelope } from "../../../lib/errors";
import { silentLog } from "../../../lib/log";
import { startGateway } from "../../gateway";
import { startOwnNode } from "../own-node";

/** A gateway, a jobs worker and, unless nodes are configured, a node in this process. */
export interface Platform {
  /** Calls the API as an admin. Throws the API's errors. */
  call<T>(method: string, path: string, body?: object): Promise<T>;
  close(): Promise<void>;
}

const NO_LIMIT = 1_000_000;
const POLL_MS = 100;

/** `dataDir`: the folder of its database; a temporary one if left out. */
export const startPlatform = async (base: Config, dataDir?: string): Promise<Platform> => {
  const log = silentLog();
  const temporary = dataDir === undefined ? await mkdtemp(join(tmpdir(), "groundwire-retrieval-")) : undefined;
  const node = await startOwnNode(base, false);
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
  const gateway = await startGateway(config, log);
  const worker = await startWorker({ ...config, jobs: { ...config.jobs, gatewayUrl: gateway.url } }, log);
  while (!(await fetch(`${gateway.url}/readyz`)).ok) await sleep(POLL_MS);

  return {
    async call<T>(method: string, path: string, body?: object): Promise<T> {
      const response = await fetch(gateway.url + path, {
        method,
        headers: { authorization: `Bearer ${adminKey}`, "content-type": "application/json" },
        body: body && JSON.stringify(body),
      });
      const answer: unknown = await response.json();
      if (response.ok) return answer as T;
      throw fromEnvelope(answer, "gateway");
    },
    async close() {
      await worker.close(0);
      await gateway.close(0);
      await node?.close(0);
      if (temporary) await rm(temporary, { recursive: true, force: true });
    },
  };
};
