import net from "node:net";
import { residentMib } from "../../bench/processes";
import { Stack } from "../harness";
import { chat, isComplete } from "./chat-ending";
import { connect, FLAG, FRAME, frame, headers, uint32 } from "./raw-http2";

/**
 * Attacks a node and a gateway with requests that are never completed, over ten connections each: endless and oversized
 * headers, headers that arrive one byte at a time, and floods of PING, SETTINGS and empty DATA frames whose answers the
 * attacker doesn't read. `bun run faults header-floods`, `bun tests/faults/header-floods.ts 3` for at most three
 * seconds of each flood.
 *
 * The server must close connections with incomplete headers within 10 s (within 33 s over HTTP/2). It may answer
 * floods, but its memory must grow by less than 50 MiB. All requests of another client must succeed meanwhile.
 */

const FLOOD_MS = 1000 * Number(process.argv[2] ?? 10);
const CONNECTIONS = 10;
const MAX_GROWTH_MIB = 50;
/** 10 s, plus a tolerance for timers and a busy machine. */
const MAX_OPEN_MS = 12_000;
/** While headers are incomplete, HTTP/2 allows no other frame, so the client can't answer pings, which come every 15 s. */
const MAX_OPEN_HTTP2_MS = 33_000;

interface Attack {
  /** Time after which the server must have closed the connection. */
  closedAfterMs?: number;
  /** Attacks over one connection, and returns how long it stayed open. */
  run(url: URL): Promise<number>;
}

const openFor = async (closed: Promise<unknown>, forMs: number): Promise<number> => {
  const startedAt = performance.now();
  await Promise.race([closed, Bun.sleep(forMs)]);
  return performance.now() - startedAt;
};

/** Sends bytes over HTTP/2 for as long as the server accepts them. */
const flood =
  (next: (n: number) => Buffer, { pauseMs = 0 } = {}) =>
  async (url: URL): Promise<number> => {
    const connection = await connect(url);
    // Without a reader, answers to a flood stay in the server's memory.
    if (pauseMs === 0) connection.pause();
    const startedAt = performance.now();
    const limitMs = pauseMs > 0 ? MAX_OPEN_HTTP2_MS + 5000 : FLOOD_MS;
    const isWriting = (async () => {
      for (let n = 0; performance.now() - startedAt < limitMs; n++) {
        if (!(await connection.write(next(n)))) break;
        if (pauseMs > 0) await Bun.sleep(pauseMs);
      }
    })();
    await Promise.race([isWriting, Bun.sleep(limitMs), ...(pauseMs > 0 ? [connection.closed] : [])]);
    // Reads what the server has sent, to notice whether it has closed the connection.
    connection.resume();
    const stayedMs = (await openFor(connection.closed, 200)) < 200 ? performance.now() - startedAt : limitMs;
    connection.destroy();
    return stayedMs;
  };

/** Sends an HTTP/1.1 request one piece at a time. */
const slowly =
  (pieces: () => Generator<string>, pauseMs: number) =>
  async (url: URL): Promise<number> => {
    const socket = net.connect(Number(url.port), url.hostname);
    socket.on("error", () => {});
    socket.resume();
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    const startedAt = performance.now();
    for (const piece of pieces()) {
      if (socket.destroyed || performance.now() - startedAt > MAX_OPEN_MS + 5000) break;
      if (!socket.write(piece)) await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), closed]);
      if (pauseMs > 0) await Promise.race([Bun.sleep(pauseMs), closed]);
    }
    await openFor(closed, 500);
    const stayedMs = performance.now() - startedAt;
    socket.destroy();
    return stayedMs;
  };

const REQUEST = headers({ ":method": "GET", ":scheme": "http", ":authority": "node", ":path": "/readyz" });
/** A field of 4,000 bytes for HPACK's table, and 12,000 references to it: 48 MB of headers in 16 KB. */
const BOMB = Buffer.concat([
  Buffer.from([0x40, 1, 0x61, 0x7f, 0xa1, 0x1e]),
  Buffer.alloc(4000, 0x62),
  Buffer.alloc(12_000, 0x80 | 62),
]);
const pings = Buffer.concat(Array.from({ length: 1000 }, () => frame(FRAME.ping, 0, 0, Buffer.alloc(8))));
const settings = Buffer.concat(
  Array.from({ length: 1000 }, () => frame(FRAME.settings, 0, 0, Buffer.concat([Buffer.from([0, 4]), uint32(65_535)]))),
);
const emptyData = Buffer.concat(Array.from({ length: 1000 }, () => frame(FRAME.data, 0, 1)));

const HTTP2: Record<string, Attack> = {
  "endless CONTINUATION": {
    closedAfterMs: MAX_OPEN_MS,
    run: flood((n) =>
      n === 0 ? frame(FRAME.headers, 0, 1, REQUEST) : frame(FRAME.continuation, 0, 1, Buffer.alloc(16_384, 0x80 | 2)),
    ),
  },
  "header bomb": {
    run: flood((n) =>
      frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 2 * n + 1, Buffer.concat([REQUEST, BOMB])),
    ),
  },
  "headers one byte a second": {
    closedAfterMs: MAX_OPEN_HTTP2_MS,
    run: flood(
      (n) => (n === 0 ? frame(FRAME.headers, 0, 1, REQUEST) : frame(FRAME.continuation, 0, 1, Buffer.of(0x82))),
      {
        pauseMs: 1000,
      },
    ),
  },
  "PING flood": { run: flood(() => pings) },
  "SETTINGS flood": { run: flood(() => settings) },
  "empty DATA frames": {
    run: flood((n) => (n === 0 ? frame(FRAME.headers, FLAG.endHeaders, 1, REQUEST) : emptyData)),
  },
};

const HTTP1: Record<string, Attack> = {
  "headers one byte a second": {
    closedAfterMs: MAX_OPEN_MS,
    run: slowly(function* () {
      yield "GET /readyz HTTP/1.1\r\nhost: a\r\nx-slow: ";
      for (;;) yield "a";
    }, 1000),
  },
  "endless headers": {
    closedAfterMs: MAX_OPEN_MS,
    run: slowly(function* () {
      yield "GET /readyz HTTP/1.1\r\nhost: a\r\n";
      for (let n = 0; n < 100_000; n++) yield `x-${n}: ${"a".repeat(1000)}\r\n`;
    }, 0),
  },
  silence: {
    closedAfterMs: MAX_OPEN_MS,
    run: slowly(function* () {
      yield "G";
      for (;;) yield "";
    }, 1000),
  },
};

const stack = await Stack.start({
  engine: "synthetic",
  env: {
    GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000",
    GROUNDWIRE_SYNTHETIC_TOKENS: "3",
    GROUNDWIRE_CACHE: "false",
    GROUNDWIRE_LOG_LEVEL: "error",
  },
});

const attack = async (target: string, url: URL, pid: number, name: string, { closedAfterMs, run }: Attack) => {
  const before = residentMib(pid);
  let [isOver, failures, slowestMs, peakMib, answered] = [false, 0, 0, before, 0];
  const bystander = (async () => {
    while (!isOver) {
      const ending = await chat(stack, { timeoutMs: 20_000 });
      if (isComplete(ending)) answered++;
      else failures++;
      slowestMs = Math.max(slowestMs, ending.ms);
      peakMib = Math.max(peakMib, residentMib(pid));
      await Bun.sleep(50);
    }
  })();
  const open = await Promise.all(Array.from({ length: CONNECTIONS }, () => run(url)));
  isOver = true;
  await bystander;
  const row = {
    openMs: Math.round(Math.max(...open)),
    grownMib: Math.round(peakMib - before),
    answered,
    failures,
    slowestMs: Math.round(slowestMs),
  };
  const isKept =
    (closedAfterMs === undefined || row.openMs <= closedAfterMs) &&
    row.grownMib < MAX_GROWTH_MIB &&
    failures === 0 &&
    answered > 0;
  console.log(`${isKept ? "kept" : "MISS"} ${target}, ${name}: ${JSON.stringify(row)}`);
  return isKept;
};

let isBroken = false;
try {
  for (let n = 0; n < 200; n++) await chat(stack); // warm-up
  const [node, gateway] = [new URL(stack.nodeUrl), new URL(stack.url)];
  const targets: [name: string, url: URL, pid: number, attacks: Record<string, Attack>][] = [
    ["node over HTTP/2", node, stack.node.pid, HTTP2],
    ["node over HTTP/1.1", node, stack.node.pid, HTTP1],
    ["gateway", gateway, stack.gateway.pid, HTTP1],
  ];
  for (const [target, url, pid, attacks] of targets) {
    for (const [name, one] of Object.entries(attacks))
      isBroken = !(await attack(target, url, pid, name, one)) || isBroken;
  }
} finally {
  await stack.stop();
}
process.exit(isBroken ? 1 : 0);
