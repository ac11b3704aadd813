import { residentMib } from "../../bench/processes";
import { freePort } from "../free-port";
import { ServerProcess } from "../harness";
import { TestClient } from "../test-node";
import { CONNECTIONS, type FloodOrder, type FloodResult, RESET_KINDS, type Reset } from "./reset-flood";

/**
 * Floods a node with requests that are reset immediately, over ten connections: `bun run faults rapid-reset`,
 * `bun tests/faults/rapid-reset.ts 1` for one round of each kind. Meanwhile, another client chats on a separate
 * connection. Prints a line for each kind and exits with 1 if a limit is exceeded.
 *
 * On a small machine, a flood of ordinary requests also slows down other clients and needs memory. Each attack is
 * therefore compared with a flood of as many ordinary requests as the node lets it start. Resetting requests must gain
 * an attacker little.
 */

const ROUNDS = Number(process.argv[2] ?? 7);
const LIMITS = { startsPerConnection: 1000, growthMib: 50, slowdown: 2 };
/** Bun 1.4.5 closes a connection at the 1,001st frame on a closed stream. No option of node:http2 changes this number. */
const STARTS_WITH_LATE_DATA = 1001;
/** The most requests of one connection that may start. */
const maxStarts = (reset: Reset): number =>
  reset === "DATA after END_STREAM" ? STARTS_WITH_LATE_DATA : LIMITS.startsPerConnection;

const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const settings = {
  GROUNDWIRE_NODE_ENGINE: "synthetic",
  GROUNDWIRE_NODE_PORT: String(port),
  GROUNDWIRE_LOG_LEVEL: "error",
};
const node = new ServerProcess("gpu-node/main.ts", settings, process.cwd());
const thread = new Worker(new URL("./reset-flood.ts", import.meta.url));
const flood = (order: FloodOrder): Promise<FloodResult> =>
  new Promise((resolve, reject) => {
    thread.onmessage = ({ data }: MessageEvent<FloodResult>) => resolve(data);
    thread.onerror = ({ message }) => reject(new Error(message));
    thread.postMessage(order);
  });

/** Number of generations that the node has started, whatever their outcome. */
const started = async (): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  const sum = (name: RegExp) => [...text.matchAll(name)].reduce((total, [, value]) => total + Number(value), 0);
  return (
    sum(/^groundwire_node_failures_total\{.*\} (\d+)$/gm) +
    sum(/^gen_ai_server_request_duration_seconds_count\{.*\} (\d+)$/gm)
  );
};

/** What the other client saw during a flood, and the node's memory. */
interface Phase {
  goaway: FloodResult;
  slowestMs: number;
  peakMib: number;
  /** Answers that were cut off. A rejection because no slot is free counts as an answer. */
  failures: number;
  startsPerConnection: number;
}

const phase = async (reset: Reset | undefined): Promise<Phase> => {
  using client = new TestClient(url);
  const startsBefore = await started();
  let [calls, failures, slowestMs, peakMib, isOver] = [0, 0, 0, 0, false];
  const flooding = flood({ url, reset }).finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const startedAt = performance.now();
    const { status, code } = await client.chat("Hi");
    if (code !== 0 || ![200, 429].includes(status)) failures++;
    calls++;
    slowestMs = Math.max(slowestMs, performance.now() - startedAt);
    peakMib = Math.max(peakMib, residentMib(node.pid));
  }
  const goaway = await flooding;
  const starts = (await started()) - startsBefore - calls;
  return { goaway, slowestMs, peakMib, failures, startsPerConnection: Math.round(starts / CONNECTIONS) };
};

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

let isBroken = false;
try {
  await node.ready(`${url}/readyz`);
  // Warm-up: a new heap grows once.
  for (const reset of [undefined, ...RESET_KINDS]) await phase(reset);
  for (const reset of RESET_KINDS) {
    const [ordinary, attacks]: [Phase[], Phase[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      ordinary.push(await phase(undefined));
      attacks.push(await phase(reset));
    }
    const slowest = (phases: readonly Phase[]) => median(phases.map(({ slowestMs }) => slowestMs));
    const peak = (phases: readonly Phase[]) => median(phases.map(({ peakMib }) => peakMib));
    const row = {
      goaway: [...new Set(attacks.flatMap(({ goaway }) => goaway))].join(" "),
      startsPerConnection: Math.max(...attacks.map(({ startsPerConnection }) => startsPerConnection)),
      grownMib: Math.round(peak(attacks) - peak(ordinary)),
      slowestMs: Math.round(slowest(attacks)),
      ordinarySlowestMs: Math.round(slowest(ordinary)),
      slowdown: Number((slowest(attacks) / slowest(ordinary)).toFixed(1)),
      failures: [...attacks, ...ordinary].reduce((sum, { failures }) => sum + failures, 0),
    };
    const isKept =
      row.startsPerConnection <= maxStarts(reset) &&
      row.grownMib < LIMITS.growthMib &&
      row.slowdown < LIMITS.slowdown &&
      row.failures === 0 &&
      !node.hasEnded;
    isBroken ||= !isKept;
    console.log(`${isKept ? "kept" : "MISS"} ${reset}: ${JSON.stringify(row)}`);
  }
} finally {
  thread.terminate();
  await node.stop();
}
process.exit(isBroken ? 1 : 0);
