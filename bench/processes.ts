import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../tests/free-port";

const ROOT = join(import.meta.dir, "..");
/** Bootstrap admin key of the gateway under test; it guards nothing but this run. */
export const KEY = "benchmark-key-that-guards-nothing-000000";

export interface Running {
  url: string;
  pid: number;
  stop(): Promise<void>;
}

/** Milliseconds of CPU that all threads of a process have used, from the kernel's nanosecond counters (Linux). */
export const cpuMs = (pid: number): number => {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
    } catch {
      // The thread has ended since it was listed.
    }
  }
  return nanoseconds / 1e6;
};

/** Resident memory in MiB. */
export const residentMib = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;

const start = async (
  file: string,
  url: string,
  env: Record<string, string>,
  isUp: () => Promise<boolean>,
): Promise<Running> => {
  const child = Bun.spawn([process.execPath, join(ROOT, file)], {
    cwd: ROOT,
    env: { ...process.env, NODE_ENV: "production", ...env },
    stdout: "ignore",
    stderr: "ignore",
  });
  const until = performance.now() + 15_000;
  while (!(await isUp().catch(() => false))) {
    if (child.exitCode !== null || performance.now() > until) throw new Error(`${file} did not start`);
    await Bun.sleep(20);
  }
  return {
    url,
    pid: child.pid,
    async stop() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 3000);
      await child.exited;
      clearTimeout(timer);
    },
  };
};

const isReady = (url: string) => async (): Promise<boolean> => (await fetch(url)).ok;

export interface Side {
  node: Running;
  gateway: Running;
  bare: Running;
  stop(): Promise<void>;
}

/** Starts a synthetic node that answers at once with `tokens` tokens, the gateway and the bare proxy before it. */
export const startAll = async (tokens: number): Promise<Side> => {
  const dataDir = await mkdtemp(join(tmpdir(), "groundwire-bench-"));
  const [nodePort, gatewayPort, barePort] = [await freePort(), await freePort(), await freePort()];
  const env = {
    GROUNDWIRE_DATA_DIR: dataDir,
    GROUNDWIRE_ADMIN_KEY: KEY,
    GROUNDWIRE_PORT: String(gatewayPort),
    GROUNDWIRE_NODE_PORT: String(nodePort),
    GROUNDWIRE_NODE_ENGINE: "synthetic",
    GROUNDWIRE_NODE_SLOTS: "64",
    GROUNDWIRE_SYNTHETIC_TOKENS: String(tokens),
    GROUNDWIRE_REQUESTS_PER_MINUTE: "10000000",
    GROUNDWIRE_PARALLEL_REQUESTS: "1000",
  };
  const nodeUrl = `http://127.0.0.1:${nodePort}`;
  const gatewayUrl = `http://127.0.0.1:${gatewayPort}`;
  const bareUrl = `http://127.0.0.1:${barePort}`;
  const gateway = await start("gateway/main.ts", gatewayUrl, env, isReady(`${gatewayUrl}/healthz`));
  const node = await start("gpu-node/main.ts", nodeUrl, env, isReady(`${gatewayUrl}/readyz`));
  const bare = await start(
    "bench/bare-proxy.ts",
    bareUrl,
    { NODE_URL: nodeUrl, PORT: String(barePort) },
    isReady(`${bareUrl}/healthz`),
  );
  return {
    node,
    gateway,
    bare,
    async stop() {
      await Promise.all([gateway.stop(), bare.stop()]);
      await node.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
};
