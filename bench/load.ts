import type { Socket } from "bun";
import { KEY } from "./processes";

export const HEADERS = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };

export interface Load {
  requests: number;
  requestsPerSecond: number;
  failures: number;
}

const END_OF_CHUNKS = "\r\n0\r\n\r\n";

/** Status of a whole HTTP/1.1 answer; undefined while bytes are missing. */
const statusOf = (received: Buffer): number | undefined => {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd === -1) return undefined;
  const head = received.toString("latin1", 0, headEnd);
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  const isWhole = length
    ? received.length >= headEnd + 4 + Number(length)
    : received.toString("latin1", received.length - END_OF_CHUNKS.length) === END_OF_CHUNKS;
  return isWhole ? Number(head.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length)) : undefined;
};

/**
 * `amount` POSTs of `body` over `connections` kept-alive connections, each as soon as the one before it is answered.
 * It writes prepared bytes and looks only for the end of each answer, to leave the machine to what is measured.
 */
export const post = async (url: string, body: object, amount: number, connections: number): Promise<Load> => {
  const { hostname, port, pathname, host } = new URL(url);
  const text = JSON.stringify(body);
  const fields = Object.entries({ ...HEADERS, host, "content-length": Buffer.byteLength(text) });
  const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const request = Buffer.from(`POST ${pathname} HTTP/1.1\r\n${head}\r\n${text}`);
  let toSend = amount;
  let requests = 0;

  const connection = (): Promise<void> => {
    const ended = Promise.withResolvers<void>();
    let received = Buffer.alloc(0);
    const next = (socket: Socket): void => {
      received = Buffer.alloc(0);
      if (toSend-- > 0) socket.write(request);
      else socket.end();
    };
    const data = (socket: Socket, bytes: Buffer): void => {
      received = received.length > 0 ? Buffer.concat([received, bytes]) : Buffer.from(bytes);
      const status = statusOf(received);
      if (status === undefined) return;
      if (status === 200) requests++;
      next(socket);
    };
    void Bun.connect({ hostname, port: Number(port), socket: { open: next, data, close: () => ended.resolve() } });
    return ended.promise;
  };

  const begun = performance.now();
  await Promise.all(Array.from({ length: connections }, connection));
  const seconds = (performance.now() - begun) / 1000;
  return { requests, requestsPerSecond: requests / seconds, failures: amount - requests };
};

/** Milliseconds of `count` requests, one after the other. */
export const oneByOne = async (url: string, body: object, count: number): Promise<number[]> => {
  const text = JSON.stringify(body);
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const begun = performance.now();
    const answer = await fetch(url, { method: "POST", headers: HEADERS, body: text });
    await answer.arrayBuffer();
    times.push(performance.now() - begun);
  }
  return times;
};

/** The value in the middle. */
export const median = (values: number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
};
