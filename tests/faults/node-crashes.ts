import { freePort } from "../free-port";
import { ServerProcess, Stack } from "../harness";
import { until } from "../until";
import { chat, countOutcomes, type Ending, isComplete, isHonest } from "./chat-ending";

/**
 * Kills one of two GPU nodes with signal 9 at random moments while clients chat, streamed and not; in the last tenth of
 * the kills, both at once: `bun run faults node-crashes`, `bun tests/faults/node-crashes.ts 10` for ten kills. Every
 * request must end soon, with a complete answer, an error event or an error that says that it may be sent again. While
 * one node works, no request may be rejected for lack of a node, and most must be answered.
 */

const KILLS = Number(process.argv[2] ?? 200);
const CALLERS = 8;
/** A request that hangs would end only after 60 s, when the time for the first token is over. */
const MAX_MS = 30_000;
const MIN_ANSWERED = 0.5;

const env = {
  GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000",
  GROUNDWIRE_PARALLEL_REQUESTS: "1000",
  GROUNDWIRE_SYNTHETIC_TOKENS: "20",
  GROUNDWIRE_SYNTHETIC_TOKEN_MS: "10",
  GROUNDWIRE_CACHE: "false",
  GROUNDWIRE_LOG_LEVEL: "error",
};
const [portA, portB] = [await freePort(), await freePort()];
const nodes = `http://127.0.0.1:${portA},http://127.0.0.1:${portB}`;
const stack = await Stack.start({
  engine: "synthetic",
  env: { ...env, GROUNDWIRE_NODE_PORT: String(portA), GROUNDWIRE_NODES: nodes },
});
const start = (port: number) =>
  new ServerProcess("gpu-node/main.ts", { ...stack.settings, GROUNDWIRE_NODE_PORT: String(port) }, stack.folder);
const running = new Map([
  [portA, stack.node],
  [portB, start(portB)],
]);

const crash = async (port: number): Promise<void> => {
  await running.get(port)?.stop();
  const node = start(port);
  running.set(port, node);
  await node.ready(`http://127.0.0.1:${port}/readyz`);
};

/** Whether the gateway sees both nodes as ready. */
const areReady = async (): Promise<boolean> => {
  const { data } = (await (await stack.fetch("/v1/nodes")).json()) as { data: { state: string }[] };
  return data.every(({ state }) => state === "ready");
};

let isBroken = false;
try {
  for (const isBoth of [false, true]) {
    const kills = isBoth ? Math.ceil(KILLS / 10) : KILLS - Math.ceil(KILLS / 10);
    const endings: Ending[] = [];
    let isOver = false;
    const caller = async (stream: boolean) => {
      while (!isOver) {
        const ending = await chat(stack, { stream });
        endings.push(ending);
        if (!isComplete(ending)) await Bun.sleep(20);
      }
    };
    const callers = Array.from({ length: CALLERS }, (_, n) => caller(n % 2 === 0));
    for (let done = 0; done < kills; ) {
      await until("the gateway sees both nodes", areReady, 95_000);
      await Bun.sleep(300 * Math.random());
      const ports = isBoth ? [portA, portB] : [Math.random() < 0.5 ? portA : portB];
      await Promise.all(ports.map(crash));
      done += ports.length;
    }
    await until("the gateway sees both nodes", areReady, 95_000);
    isOver = true;
    await Promise.all(callers);
    const wrong = endings.filter((ending) => !isHonest(ending));
    for (const { status, text, ms } of wrong.slice(0, 5)) {
      console.log(`wrong: ${status} after ${ms} ms: ${text.slice(-300)}`);
    }
    const outcomes = countOutcomes(endings);
    const row = {
      kills,
      requests: endings.length,
      outcomes,
      wrong: wrong.length,
      slowestMs: Math.round(Math.max(...endings.map(({ ms }) => ms))),
    };
    const isAnswered =
      isBoth || (!outcomes["503 unavailable"] && (outcomes.complete ?? 0) >= MIN_ANSWERED * endings.length);
    const isKept = isAnswered && row.wrong === 0 && row.slowestMs <= MAX_MS && !stack.gateway.hasEnded;
    isBroken ||= !isKept;
    console.log(`${isKept ? "kept" : "MISS"} ${isBoth ? "both nodes" : "one node"}: ${JSON.stringify(row)}`);
  }
} finally {
  await Promise.all([...running.values()].map((node) => node.stop()));
  await stack.stop();
}
process.exit(isBroken ? 1 : 0);
