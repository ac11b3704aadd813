import { residentMib } from "../../bench/processes";
import { freePort } from "../free-port";
import { TestClient } from "../test-node";
import { until } from "../until";
import { connect, FLAG, FRAME, frame, headers, uint32 } from "./raw-http2";

/**
 * Floods a node that has the synthetic engine with requests that are reset immediately: `bun run faults`. Prints a line
 * for each kind and exits with 1 if a limit is exceeded. Meanwhile, another client chats on a separate connection.
 */

const CONNECTIONS = 10;
const PAIRS = 20_000;
const PAIRS_PER_WRITE = 100;
const LIMITS = { startsPerConnection: 1000, growthMib: 50, slowdown: 2 };
const BYSTANDER_CALLS = 300;

const BODY = Buffer.from(JSON.stringify({ messages: [{ role: "user", content: "Hi" }] }));

const port = await freePort();
const url = new URL(`http://127.0.0.1:${port}`);
const request = headers({
  ":method": "POST",
  ":scheme": "http",
  ":authority": url.host,
  ":path": "/v1/chat/completions",
  "content-type": "application/json",
});

/** A complete request, so that it reaches the engine. */
const whole = (stream: number): Buffer[] => [
  frame(FRAME.headers, FLAG.endHeaders, stream, request),
  frame(FRAME.data, FLAG.endStream, stream, BODY),
];

/** A request and its reset: by the client, or by an error that makes the server reset it ("MadeYouReset"). */
const KINDS: Record<string, (stream: number) => Buffer[]> = {
  "RST_STREAM (rapid reset)": (stream) => [...whole(stream), frame(FRAME.reset, 0, stream, uint32(8))],
  "WINDOW_UPDATE of zero": (stream) => [...whole(stream), frame(FRAME.windowUpdate, 0, stream, uint32(0))],
  "WINDOW_UPDATE beyond the maximum": (stream) => [
    ...whole(stream),
    frame(FRAME.windowUpdate, 0, stream, uint32(2 ** 31 - 1)),
  ],
  "PRIORITY of six bytes": (stream) => [...whole(stream), frame(FRAME.priority, 0, stream, Buffer.alloc(6))],
  "DATA after END_STREAM": (stream) => [...whole(stream), frame(FRAME.data, 0, stream, BODY)],
  "PRIORITY on itself": (stream) => [
    ...whole(stream),
    frame(FRAME.priority, 0, stream, Buffer.concat([uint32(stream), Buffer.of(1)])),
  ],
};

const flood = async (kind: (stream: number) => Buffer[]): Promise<number> => {
  const connection = await connect(url);
  for (let pair = 0; pair < PAIRS; pair += PAIRS_PER_WRITE) {
    const frames = Array.from({ length: PAIRS_PER_WRITE }, (_, index) => kind(2 * (pair + index) + 1)).flat();
    if (!(await connection.write(Buffer.concat(frames)))) break;
  }
  connection.destroy();
  return connection.closed;
};

/** p99 of sequential chats, in milliseconds. */
const bystander = async (isOver: () => boolean): Promise<{ p99Ms: number; failures: number; calls: number }> => {
  using client = new TestClient(url.href);
  const times: number[] = [];
  let failures = 0;
  while (times.length < BYSTANDER_CALLS || !isOver()) {
    const startedAt = performance.now();
    // A rejection because no slot is free counts as an answer, but a broken stream doesn't.
    const { status, code } = await client.chat("Hi");
    if (code !== 0 || ![200, 429].includes(status)) failures++;
    times.push(performance.now() - startedAt);
  }
  times.sort((a, b) => a - b);
  return { p99Ms: times[Math.floor(times.length * 0.99)] ?? 0, failures, calls: times.length };
};

/** Number of generations that the node has started, whatever their outcome. */
const begun = async (): Promise<number> => {
  const text = await (await fetch(new URL("/metrics", url))).text();
  const sum = (name: RegExp) => [...text.matchAll(name)].reduce((total, [, value]) => total + Number(value), 0);
  return (
    sum(/^groundwire_node_failures_total\{.*\} (\d+)$/gm) +
    sum(/^gen_ai_server_request_duration_seconds_count\{.*\} (\d+)$/gm)
  );
};

const child = Bun.spawn([process.execPath, "gpu-node/main.ts"], {
  env: { ...process.env, GROUNDWIRE_NODE_ENGINE: "synthetic", GROUNDWIRE_NODE_PORT: String(port) },
  stdout: "ignore",
  stderr: "inherit",
});
const isReady = () =>
  fetch(new URL("/readyz", url)).then(
    ({ ok }) => ok,
    () => false,
  );
let broken = false;
try {
  await until("the node is ready", isReady);
  await flood(KINDS["RST_STREAM (rapid reset)"] ?? whole); // warm-up, because a new heap grows once
  await bystander(() => true);
  const before = await bystander(() => true);
  for (const [name, kind] of Object.entries(KINDS)) {
    const begunBefore = await begun();
    const startMib = residentMib(child.pid);
    let done = false;
    const watched = bystander(() => done);
    const codes = await Promise.all(Array.from({ length: CONNECTIONS }, () => flood(kind)));
    done = true;
    const { p99Ms, failures, calls } = await watched;
    const row = {
      kind: name,
      goaway: [...new Set(codes)].join(" "),
      "requests each": Math.round(((await begun()) - begunBefore - calls) / CONNECTIONS),
      "grown MiB": Math.round(residentMib(child.pid) - startMib),
      slowdown: Number((p99Ms / before.p99Ms).toFixed(1)),
      failures,
    };
    const isWithin =
      row["requests each"] <= LIMITS.startsPerConnection &&
      row["grown MiB"] < LIMITS.growthMib &&
      row.slowdown < LIMITS.slowdown &&
      failures === 0;
    broken ||= !isWithin;
    console.log(`${isWithin ? "within" : "BEYOND"} limits: ${JSON.stringify(row)}`);
  }
} finally {
  child.kill("SIGTERM");
  await child.exited;
}
process.exit(broken ? 1 : 0);
