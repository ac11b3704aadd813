import { cpuMs, residentMib } from "../../bench/processes";
import type { NodeReadiness } from "../../gpu-node/protocol";
import { freePort } from "../free-port";
import { ServerProcess } from "../harness";
import { TestClient } from "../test-node";
import { until } from "../until";
import { connect, FLAG, FRAME, frame, headers } from "./raw-http2";

/**
 * Opens 100 streams on a node over one connection and never lets it send more than the first window:
 * `bun run faults unread-streams`. The engine must pause, memory may grow by at most 16 MiB, and after 30 s the node
 * must close the streams and free their slots. Other clients must get their answers.
 */

const STREAMS = Number(process.argv[2] ?? 100);
/** About 500 KB per stream, so that without pauses all streams would need 50 MB. */
const TOKENS = 2500;
const MAX_GROWTH_MIB = 16;
/** The node's limit for a client that doesn't read is 30 s. */
const MAX_STALL_MS = 40_000;
/** CPU time that an idle node may use per second, for example for timers. */
const MAX_IDLE_CPU_MS = 200;

const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const settings = {
  GROUNDWIRE_NODE_ENGINE: "synthetic",
  GROUNDWIRE_NODE_PORT: String(port),
  GROUNDWIRE_NODE_SLOTS: String(STREAMS + 2),
  GROUNDWIRE_SYNTHETIC_TOKENS: String(TOKENS),
  GROUNDWIRE_LOG_LEVEL: "error",
};
const node = new ServerProcess("gpu-node/main.ts", settings, process.cwd());
const request = headers({
  ":method": "POST",
  ":scheme": "http",
  ":authority": `127.0.0.1:${port}`,
  ":path": "/v1/chat/completions",
  "content-type": "application/json",
});
const body = Buffer.from(JSON.stringify({ messages: [{ role: "user", content: "Hi" }], stream: true }));

let isBroken = false;
try {
  await node.ready(`${url}/readyz`);
  using client = new TestClient(url);
  const short = async () => (await client.chat("Hi", { max_tokens: 5 })).status === 200;
  const running = async (): Promise<number> =>
    ((await (await fetch(`${url}/readyz`)).json()) as NodeReadiness).slots.running;
  // Warm-up with streams that are read: the engine prepares its answers, and a new heap grows once.
  const read = async () => (await client.chat("Hi", { stream: true })).text.endsWith("data: [DONE]\n\n");
  for (let n = 0; n < 3; n++) await Promise.all(Array.from({ length: STREAMS }, read));
  const beforeMib = residentMib(node.pid);

  const attacker = await connect(new URL(url), { windowBytes: 0 });
  const openedAt = performance.now();
  for (let stream = 1; stream < 2 * STREAMS; stream += 2) {
    await attacker.write(frame(FRAME.headers, FLAG.endHeaders, stream, request));
    await attacker.write(frame(FRAME.data, FLAG.endStream, stream, body));
  }
  await until("all streams run", async () => (await running()) === STREAMS);
  const isPaused = async () => {
    const before = cpuMs(node.pid);
    await Bun.sleep(1000);
    return cpuMs(node.pid) - before < MAX_IDLE_CPU_MS;
  };
  await until("the engine pauses", isPaused, 20_000);
  const pausedMs = performance.now() - openedAt;
  const grownMib = residentMib(node.pid) - beforeMib;
  const isServed = await short();
  await until("the slots are free", async () => (await running()) === 0, MAX_STALL_MS);
  const row = {
    streams: STREAMS,
    pausedMs: Math.round(pausedMs),
    grownMib: Math.round(grownMib),
    isServed,
    freedMs: Math.round(performance.now() - openedAt),
  };
  const isKept = grownMib <= MAX_GROWTH_MIB && isServed && (await short());
  isBroken = !isKept;
  console.log(`${isKept ? "kept" : "MISS"} ${JSON.stringify(row)}`);
  attacker.destroy();
} finally {
  await node.stop();
}
process.exit(isBroken ? 1 : 0);
