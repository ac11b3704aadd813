import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type NodeAnswer, startFailingNode, unavailable } from "../failing-node";
import { freePort } from "../free-port";
import { ADMIN_KEY, ServerProcess } from "../harness";
import { until } from "../until";
import { chat, countOutcomes, type Ending, isComplete, isHonest } from "./chat-ending";

/**
 * Two gateways have two nodes each, which answer 503 for a minute: to all requests behind one gateway, and to every
 * second one behind the other. Clients send 200 requests per second to each gateway: `bun run faults retry-storm`,
 * `bun tests/faults/retry-storm.ts 10` for ten seconds. The nodes may get at most 1.2 requests per client request,
 * every rejection must say when to retry, and requests must succeed again after the outage.
 */

const SECONDS = Number(process.argv[2] ?? 60);
const PER_SECOND = 200;
const MAX_AMPLIFICATION = 1.2;
/** Three retries are always allowed, and the gateway checks a suspect node with requests of its own. */
const ALWAYS_ALLOWED = 10;
/** Requests don't wait for nodes that reject them, so only a hanging one exceeds this. */
const MAX_MS = 5000;
/** The first ejection lasts 30 s, the second 60 s. */
const MAX_RECOVERY_MS = 95_000;

let calls = 0;
const FAULTS: Record<string, () => NodeAnswer> = {
  "every request gets 503": () => unavailable(),
  "every second request gets 503": () => (calls++ % 2 === 0 ? unavailable() : "answer"),
};

const folder = await mkdtemp(join(tmpdir(), "groundwire-storm-"));
const startGateway = async (urls: readonly string[]) => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const settings = {
    GROUNDWIRE_PORT: String(port),
    GROUNDWIRE_NODES: urls.join(","),
    GROUNDWIRE_ADMIN_KEY: ADMIN_KEY,
    GROUNDWIRE_DATA_DIR: join(folder, String(port)),
    GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000",
    GROUNDWIRE_PARALLEL_REQUESTS: "1000",
    GROUNDWIRE_CACHE: "false",
    GROUNDWIRE_LOG_LEVEL: "error",
  };
  const gateway = new ServerProcess("gateway/main.ts", settings, folder);
  await gateway.ready(`${url}/readyz`);
  return { url, gateway };
};

const storm = async (name: string, answer: () => NodeAnswer): Promise<boolean> => {
  const nodes = await Promise.all([startFailingNode(answer), startFailingNode(answer)]);
  const { url, gateway } = await startGateway(nodes.map((node) => node.url));
  const headers = { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" };
  const client = {
    fetch: (path: string, { body, ...init }: Omit<RequestInit, "body"> & { body?: unknown } = {}) =>
      fetch(url + path, { ...init, method: "POST", headers, body: JSON.stringify(body) }),
  };
  try {
    const pending: Promise<Ending>[] = [];
    const startedAt = performance.now();
    for (let n = 0; n < SECONDS * PER_SECOND; n++) {
      const waitMs = startedAt + (n * 1000) / PER_SECOND - performance.now();
      if (waitMs > 0) await Bun.sleep(waitMs);
      pending.push(chat(client));
    }
    const endings = await Promise.all(pending);
    const attempts = nodes.reduce((sum, { bodies }) => sum + bodies.length, 0);
    const endedAt = performance.now();
    for (const node of nodes) node.answer = () => "answer";
    const hasRecovered = async () => isComplete(await chat(client));
    await until("requests succeed again", hasRecovered, MAX_RECOVERY_MS).catch(() => {});
    const times = endings.map(({ ms }) => ms).sort((a, b) => a - b);
    const row = {
      requests: endings.length,
      amplification: Number((attempts / endings.length).toFixed(4)),
      outcomes: countOutcomes(endings),
      wrong: endings.filter((ending) => !isHonest(ending)).length,
      p99Ms: Math.round(times[Math.floor(times.length * 0.99)] ?? 0),
      maxMs: Math.round(times.at(-1) ?? 0),
      recoveredMs: Math.round(performance.now() - endedAt),
    };
    const { wrong, maxMs, recoveredMs } = row;
    const isBounded = attempts <= MAX_AMPLIFICATION * endings.length + ALWAYS_ALLOWED;
    const isKept = isBounded && wrong === 0 && maxMs <= MAX_MS && recoveredMs <= MAX_RECOVERY_MS;
    console.log(`${isKept ? "kept" : "MISS"} ${name}: ${JSON.stringify(row)}`);
    return isKept;
  } finally {
    await gateway.stop();
    for (const node of nodes) await node.close();
  }
};

const results = await Promise.all(Object.entries(FAULTS).map(([name, answer]) => storm(name, answer)));
await rm(folder, { recursive: true, force: true });
process.exit(results.every(Boolean) ? 0 : 1);
