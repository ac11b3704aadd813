import { Stack } from "../harness";
import { until } from "../until";

/**
 * Clients stop their requests before the first token, in the middle of a stream, without streaming, and with the chat
 * page's stop button: `bun run faults stops`, `bun tests/faults/stops.ts 5` for five of each. The node must free the
 * slot within 250 ms in 99 of 100 cases, and generate no more tokens. On a busy machine, every request takes longer, so
 * the same requests are also measured with nothing to stop, and their time is added to the limit.
 */

const TRIES = Number(process.argv[2] ?? 100);
const MAX_P99_MS = 250;
const TOKEN_MS = 20;

const stack = await Stack.start({
  engine: "synthetic",
  env: {
    GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000",
    GROUNDWIRE_SYNTHETIC_FIRST_TOKEN_MS: "200",
    GROUNDWIRE_SYNTHETIC_TOKENS: "5000",
    GROUNDWIRE_SYNTHETIC_TOKEN_MS: String(TOKEN_MS),
    GROUNDWIRE_NODE_CONTEXT_TOKENS: "16384",
    GROUNDWIRE_CACHE: "false",
    GROUNDWIRE_LOG_LEVEL: "error",
  },
});

/** Asks the node itself, because the gateway only knows what its last probe saw. */
const isRunning = async (): Promise<boolean> => (await stack.nodeState()).slots.running > 0;
const running = () => until("the node generates", isRunning);

/** Starts a request, and returns a function that stops it. */
const begin = async (stream: boolean): Promise<() => void> => {
  const stop = new AbortController();
  const body = { messages: [{ role: "user", content: crypto.randomUUID() }], stream };
  const response = stack.fetch("/v1/chat/completions", { body, signal: stop.signal });
  const read = response.then(async ({ body: pieces }) => {
    for await (const _ of pieces ?? []);
  });
  read.catch(() => {});
  await running();
  return () => stop.abort();
};

const WAYS: Record<string, () => Promise<() => unknown>> = {
  "before the first token": () => begin(true),
  "in the middle of a stream": async () => {
    const stop = await begin(true);
    await Bun.sleep(300 + 100 * Math.random());
    return stop;
  },
  "without streaming": async () => {
    const stop = await begin(false);
    await Bun.sleep(300 * Math.random());
    return stop;
  },
  "with the stop button": async () => {
    const { id } = (await (await stack.fetch("/v1/conversations", { body: {} })).json()) as { id: string };
    const sent = stack.fetch(`/v1/conversations/${id}/messages`, { body: { content: "Tell me a story." } });
    sent.then((response) => response.text()).catch(() => {});
    await running();
    await Bun.sleep(300 * Math.random());
    return () => stack.fetch(`/v1/conversations/${id}/stop`, { body: {} });
  },
};

/** A quantile, in whole milliseconds. */
const quantileMs = (times: number[], share: number): number =>
  Math.round(times.sort((a, b) => a - b)[Math.floor(times.length * share)] ?? 0);

let isBroken = false;
try {
  for (const [name, start] of Object.entries(WAYS)) {
    const times: number[] = [];
    const idleTimes: number[] = [];
    let late = 0;
    for (let n = 0; n < TRIES; n++) {
      const stop = await start();
      const startedAt = performance.now();
      void stop();
      await until("the slot is free", async () => !(await isRunning()), 10_000);
      times.push(performance.now() - startedAt);
      const idleAt = performance.now();
      await Promise.all([stack.fetch("/v1/conversations/conv_0/stop", { body: {} }), isRunning()]);
      idleTimes.push(performance.now() - idleAt);
      const { output } = await stack.nodeTokens();
      if (n % 10 === 0) {
        await Bun.sleep(5 * TOKEN_MS);
        if ((await stack.nodeTokens()).output > output) late++;
      }
    }
    const row = {
      tries: TRIES,
      p50Ms: quantileMs(times, 0.5),
      p99Ms: quantileMs(times, 0.99),
      idleP99Ms: quantileMs(idleTimes, 0.99),
      late,
    };
    const isKept = row.p99Ms <= MAX_P99_MS + row.idleP99Ms && late === 0;
    isBroken ||= !isKept;
    console.log(`${isKept ? "kept" : "MISS"} ${name}: ${JSON.stringify(row)}`);
  }
} finally {
  await stack.stop();
}
process.exit(isBroken ? 1 : 0);
