import { freePort } from "../free-port";
import { Stack } from "../harness";
import { startTcpProxy } from "../tcp-proxy";
import { until } from "../until";

/**
 * Freezes the node's process (SIGSTOP), and drops every packet between gateway and node, in the middle of streams:
 * `bun run faults frozen-node`, `bun tests/faults/frozen-node.ts 20` for 20 rounds of each. The gateway must notice
 * within 15 s, end every stream with an error event, answer new requests with 502, 503 or 504, and recover by itself.
 */

const ROUNDS = Number(process.argv[2] ?? 5);
const CALLS = 4;
const MAX_MS = 15_000;
/** Five failed requests eject the node for 30 s, and again for 60 s if it is still ejected when it is tried. */
const MAX_RECOVERY_MS = 95_000;

const nodePort = await freePort();
const proxy = await startTcpProxy(`http://127.0.0.1:${nodePort}`);
const stack = await Stack.start({
  engine: "synthetic",
  env: {
    GROUNDWIRE_NODE_PORT: String(nodePort),
    GROUNDWIRE_NODES: proxy.url,
    GROUNDWIRE_SYNTHETIC_TOKENS: "100",
    GROUNDWIRE_SYNTHETIC_TOKEN_MS: "20",
    GROUNDWIRE_CACHE: "false",
  },
});

interface Ending {
  status: number;
  text: string;
  ms: number;
}

const call = async (stream = true): Promise<Ending> => {
  const startedAt = performance.now();
  const body = { messages: [{ role: "user", content: crypto.randomUUID() }], stream, max_tokens: stream ? 100 : 1 };
  try {
    const response = await stack.fetch("/v1/chat/completions", { body, signal: AbortSignal.timeout(70_000) });
    return { status: response.status, text: await response.text(), ms: performance.now() - startedAt };
  } catch (error) {
    return { status: 0, text: String(error), ms: performance.now() - startedAt };
  }
};
const isComplete = ({ status, text }: Ending) => status === 200 && !text.includes('"error"');
/** A stream with an error event, or an error that asks the client to try again. */
const isHonest = ({ status, text }: Ending) =>
  status === 200 ? text.includes('"error"') !== text.endsWith("data: [DONE]\n\n") : status >= 502 && status <= 504;

const FAULTS = {
  "SIGSTOP of the node": [() => stack.node.signal("SIGSTOP"), () => stack.node.signal("SIGCONT")],
  "all packets dropped": [() => proxy.freeze(), () => proxy.thaw()],
} as const;

let misses = 0;
try {
  for (const [name, [start, end]] of Object.entries(FAULTS)) {
    const detections: number[] = [];
    const recoveries: number[] = [];
    let wrong = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const streams = Array.from({ length: CALLS }, () => call());
      await Bun.sleep(500);
      start();
      const startedAt = performance.now();
      const late = call(false);
      const endings = await Promise.all(streams);
      detections.push(performance.now() - startedAt);
      const all = [...endings, await late];
      for (const ending of all.filter((one) => !isHonest(one) || isComplete(one))) {
        wrong++;
        console.log(`wrong: ${ending.status} after ${ending.ms.toFixed(0)} ms: ${ending.text.slice(-300)}`);
      }
      end();
      const endedAt = performance.now();
      await until("the gateway recovers", async () => isComplete(await call(false)), MAX_RECOVERY_MS);
      recoveries.push(performance.now() - endedAt);
    }
    const slowest = (times: readonly number[]) => Math.round(Math.max(...times));
    const isKept = wrong === 0 && slowest(detections) <= MAX_MS;
    if (!isKept) misses++;
    const row = {
      rounds: ROUNDS,
      requests: ROUNDS * (CALLS + 1),
      wrong,
      detectedMs: slowest(detections),
      recoveredMs: slowest(recoveries),
    };
    console.log(`${isKept ? "kept" : "MISS"} ${name}: ${JSON.stringify(row)}`);
  }
} finally {
  stack.node.signal("SIGCONT");
  await stack.stop();
  await proxy.close();
}
process.exit(misses === 0 ? 0 : 1);
