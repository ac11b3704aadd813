import { freePort } from "../free-port";
import { Stack } from "../harness";
import { startTcpProxy } from "../tcp-proxy";
import { until } from "../until";
import { chat, isComplete, isHonest } from "./chat-ending";

/**
 * Freezes the node's process (SIGSTOP), and drops every packet between gateway and node, in the middle of streams:
 * `bun run faults frozen-node`, `bun tests/faults/frozen-node.ts 20` for 20 rounds of each. The gateway must notice
 * within 15 s, end every stream with an error event, answer new requests with 502, 503 or 504, and recover by itself. A
 * request that was lost on its way gets a 502, because the node may have worked on it. The error must say that the
 * request may be sent again.
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
    GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000",
  },
});

/** A short answer that is not streamed. */
const probe = () => chat(stack, { maxTokens: 1 });

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
      const streams = Array.from({ length: CALLS }, () => chat(stack, { stream: true, maxTokens: 100 }));
      await Bun.sleep(500);
      start();
      const startedAt = performance.now();
      const late = probe();
      const endings = await Promise.all(streams);
      detections.push(performance.now() - startedAt);
      const all = [...endings, await late];
      for (const ending of all.filter((one) => !isHonest(one) || isComplete(one))) {
        wrong++;
        console.log(`wrong: ${ending.status} after ${ending.ms.toFixed(0)} ms: ${ending.text.slice(-300)}`);
      }
      end();
      const endedAt = performance.now();
      await until("the gateway recovers", async () => isComplete(await probe()), MAX_RECOVERY_MS);
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
