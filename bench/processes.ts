import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../tests/free-port";

const ROOT = join(import.meta.dir, "..");
/** Admin key of the gateway under test, valid only during this run. */
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
  root: string,
  file: string,
  url: string,
  isUp: () => Promise<boolean>,
  env: Record<string, string>,
): Promise<Running> => {
  const child = Bun.spawn([process.execPath, join(root, file)], {
    cwd: root,
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

/** A measured process and its own synthetic node. */
export interface Side extends Running {
  nodeUrl: string;
}

const localUrl = (port: number): string => `http://127.0.0.1:${port}`;

/** Starts a node that answers immediately with `tokens` tokens. `isUp` may poll the gateway that uses this node. */
const startNode = (port: number, tokens: number, env: Record<string, string>, isUp: () => Promise<boolean>) =>
  start(ROOT, "gpu-node/main.ts", localUrl(port), isUp, {
    ...env,
    GROUNDWIRE_NODE_PORT: String(port),
    GROUNDWIRE_NODE_ENGINE: "synthetic",
    GROUNDWIRE_NODE_SLOTS: "64",
    GROUNDWIRE_SYNTHETIC_TOKENS: String(tokens),
  });

interface Gateway extends Side {
  env: Record<string, string>;
}

/** Starts a gateway with its own node, from the working copy `root`. */
export const startGateway = async (tokens: number, root = ROOT): Promise<Gateway> => {
  const dataDir = await mkdtemp(join(tmpdir(), "groundwire-bench-"));
  const [port, nodePort] = [await freePort(), await freePort()];
  const url = localUrl(port);
  const env = {
    GROUNDWIRE_DATA_DIR: dataDir,
    GROUNDWIRE_ADMIN_KEY: KEY,
    GROUNDWIRE_PORT: String(port),
    GROUNDWIRE_NODES: localUrl(nodePort),
    GROUNDWIRE_REQUESTS_PER_MINUTE: "10000000",
    GROUNDWIRE_PARALLEL_REQUESTS: "1000",
  };
  const gateway = await start(root, "gateway/main.ts", url, isReady(`${url}/healthz`), env);
  const node = await startNode(nodePort, tokens, env, isReady(`${url}/readyz`));
  return {
    ...gateway,
    env,
    nodeUrl: node.url,
    async stop() {
      await gateway.stop();
      await node.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
};

/** Starts a worker for the jobs of this gateway. */
export const startWorker = ({ env, url }: Gateway): Promise<Running> =>
  start(ROOT, "jobs/main.ts", url, isReady(`${url}/readyz`), env);

/** Starts the bare proxy with its own node. */
export const startBareProxy = async (tokens: number): Promise<Side> => {
  const [port, nodePort] = [await freePort(), await freePort()];
  const url = localUrl(port);
  const node = await startNode(nodePort, tokens, {}, () => isListening(nodePort));
  const env = { NODE_URL: node.url, PORT: String(port) };
  const bare = await start(ROOT, "bench/bare-proxy.ts", url, isReady(`${url}/healthz`), env);
  return {
    ...bare,
    nodeUrl: node.url,
    async stop() {
      await bare.stop();
      await node.stop();
    },
  };
};

const isListening = async (port: number): Promise<boolean> => {
  const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
  socket.end();
  return true;
};
