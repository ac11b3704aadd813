import { freePort } from "../free-port";
import { ServerProcess, Stack } from "../harness";
import { until } from "../until";
import { chat, countOutcomes, type Ending, isComplete } from "./chat-ending";

/**
 * Restarts two GPU nodes in turn with SIGTERM, under 50 open streams and 100 further requests per second:
 * `bun run faults node-drains`, `bun tests/faults/node-drains.ts 2` for two restarts. No request may fail, and every
 * node must exit with code 0.
 */

const RESTARTS = Number(process.argv[2] ?? 20);
const STREAMS = 50;
const PER_SECOND = 100;

const env = {
  GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000",
  GROUNDWIRE_PARALLEL_REQUESTS: "2000",
  GROUNDWIRE_SYNTHETIC_TOKENS: "100",
  GROUNDWIRE_SYNTHETIC_TOKEN_MS: "10",
  GROUNDWIRE_NODE_SLOTS: "256",
  GROUNDWIRE_NODE_QUEUE: "1000",
  GROUNDWIRE_CACHE: "false",
  GROUNDWIRE_LOG_LEVEL: "error",
};
const ports = [await freePort(), await freePort()];
const stack = await Stack.start({
  engine: "synthetic",
  env: {
    ...env,
    GROUNDWIRE_NODE_PORT: String(ports[0]),
    GROUNDWIRE_NODES: ports.map((port) => `http://127.0.0.1:${port}`).join(","),
  },
});
const start = async (port: number) => {
  const settings = { ...stack.settings, GROUNDWIRE_NODE_PORT: String(port) };
  const node = new ServerProcess("gpu-node/main.ts", settings, stack.folder);
  await node.ready(`http://127.0.0.1:${port}/readyz`);
  return node;
};
const nodes = [stack.node, await start(ports[1] ?? 0)];
/** Whether both nodes accept requests, so that one may be restarted. */
const areReady = async (): Promise<boolean> => {
  const { data } = (await (await stack.fetch("/v1/nodes")).json()) as { data: { state: string }[] };
  return data.length === nodes.length && data.every(({ state }) => state === "ready");
};

let isBroken = false;
try {
  const endings: Ending[] = [];
  const pending = new Set<Promise<void>>();
  let isOver = false;
  const send = (stream: boolean) => {
    const sent = chat(stack, { stream, maxTokens: stream ? 100 : 1 }).then((ending) => {
      endings.push(ending);
      pending.delete(sent);
    });
    pending.add(sent);
    return sent;
  };
  const keepStreaming = async () => {
    while (!isOver) await send(true);
  };
  const keepSending = async () => {
    while (!isOver) {
      void send(false);
      await Bun.sleep(1000 / PER_SECOND);
    }
  };
  const clients = [keepSending(), ...Array.from({ length: STREAMS }, keepStreaming)];
  const codes: Record<string, number> = {};
  for (let restart = 0; restart < RESTARTS; restart++) {
    await until("both nodes are ready", areReady);
    await Bun.sleep(300 * Math.random());
    const at = restart % nodes.length;
    nodes[at]?.signal("SIGTERM");
    const code = String(await nodes[at]?.exited);
    codes[code] = (codes[code] ?? 0) + 1;
    nodes[at] = await start(ports[at] ?? 0);
  }
  isOver = true;
  await Promise.all(clients);
  await Promise.all(pending);
  const failed = endings.filter((ending) => !isComplete(ending));
  for (const { status, text } of failed.slice(0, 5)) console.log(`failed: ${status} ${text.slice(-300)}`);
  const row = { restarts: RESTARTS, exitCodes: codes, requests: endings.length, outcomes: countOutcomes(endings) };
  const isKept = failed.length === 0 && codes["0"] === RESTARTS;
  isBroken = !isKept;
  console.log(`${isKept ? "kept" : "MISS"} ${JSON.stringify(row)}`);
} finally {
  await Promise.all(nodes.map((node) => node.stop()));
  await stack.stop();
}
process.exit(isBroken ? 1 : 0);
