import { readFileSync } from "node:fs";
import http from "node:http";
import http2, { type ServerHttp2Session } from "node:http2";
import net, { type AddressInfo } from "node:net";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import type { Incoming, Outgoing } from "./exchange";

type Listener = (request: Incoming, response: Outgoing) => void;

/** Limits on the resources of a client that has not yet sent a valid request. */
const HTTP2_LIMITS = {
  // Cancelled streams are normal: 900 chats on one connection may be stopped together. A flood closes the connection.
  streamResetBurst: 920,
  streamResetRate: 33, // per second, as in nghttp2
  maxSessionInvalidFrames: 900,
  maxHeaderListPairs: 64,
  // In MiB. Includes answers that wait for slow readers, up to one window each.
  maxSessionMemory: 256,
  settings: { maxConcurrentStreams: 2048, maxHeaderListSize: 16_384 },
};
const HTTP1_LIMITS = {
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 75_000,
};
/** Time limit for a connection's first bytes or, over HTTP/1.1, first headers: Bun 1.4.5 ignores headersTimeout. */
const HEADERS_MS = 10_000;
/** The first bytes of every HTTP/2 connection. HTTP/1.1 requests never start with them. */
const HTTP2_START = "PRI";

/** HTTP/2 and HTTP/1.1 on one port: chosen by ALPN if a certificate is set, else by the connection's first bytes. */
export const createServer = (
  { node }: Config,
  listener: Listener,
  { pingMs, headersMs = HEADERS_MS }: { pingMs?: number; headersMs?: number } = {},
) => {
  const sessions = new Sessions(pingMs);
  const sockets = new Set<net.Socket>();
  const plain = http.createServer(HTTP1_LIMITS, listener);
  const pem = node.tlsCert && node.tlsKey && { cert: readFileSync(node.tlsCert), key: readFileSync(node.tlsKey) };
  const multiplexed = pem
    ? http2.createSecureServer({ ...HTTP2_LIMITS, ...pem, allowHTTP1: true }, listener)
    : http2.createServer(HTTP2_LIMITS, listener);
  multiplexed.on("session", (session) => sessions.add(session));
  const waiting = new WeakMap<net.Socket, Timer>();
  const waitFor = (socket: net.Socket): Timer => {
    const timer = setTimeout(() => socket.destroy(), headersMs);
    waiting.set(socket, timer);
    return timer;
  };
  plain.on("request", ({ socket }: http.IncomingMessage) => clearTimeout(waiting.get(socket)));
  const front = pem ? multiplexed : net.createServer((socket) => dispatch(socket, plain, multiplexed, waitFor(socket)));
  front.on("connection", (socket: net.Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
  });

  return {
    sessions,
    /** Resolves with the port, which the system chooses for port 0. */
    listen: (host: string, port: number) =>
      new Promise<number>((resolve, reject) => {
        front.once("error", (cause: NodeJS.ErrnoException) => reject(cannotListen(host, port, cause)));
        front.listen(port, host, () => resolve((front.address() as AddressInfo).port));
      }),
    /** Accepts no new connections and asks clients to disconnect. */
    drain: () => {
      front.close();
      sessions.drain();
    },
    /** Closes all connections. */
    close: () => {
      sessions.destroy();
      front.close();
      for (const socket of sockets) socket.destroy();
    },
  };
};

/** Passes a connection to the server for its protocol. `timer` closes it if it is silent or slow. */
const dispatch = (socket: net.Socket, plain: http.Server, multiplexed: net.Server, timer: Timer): void => {
  socket.once("close", () => clearTimeout(timer));
  const peek = (before: Buffer) =>
    socket.once("data", (bytes: Buffer) => {
      const start = Buffer.concat([before, bytes]);
      const word = start.toString("latin1", 0, HTTP2_START.length);
      if (word.length < HTTP2_START.length && HTTP2_START.startsWith(word)) {
        peek(start);
        return;
      }
      const isHttp2 = word === HTTP2_START;
      if (isHttp2) clearTimeout(timer);
      socket.pause();
      socket.unshift(start);
      (isHttp2 ? multiplexed : plain).emit("connection", socket);
      socket.resume();
    });
  peek(Buffer.alloc(0));
};

const cannotListen = (host: string, port: number, cause: NodeJS.ErrnoException): AppError => {
  const why = cause.code === "EADDRINUSE" ? "another program uses this port" : (cause.code ?? "unknown error");
  const message = `The GPU node can't listen on ${host}:${port}: ${why}. Set GROUNDWIRE_NODE_HOST or GROUNDWIRE_NODE_PORT.`;
  return new AppError("unavailable", message, { param: "GROUNDWIRE_NODE_PORT", cause });
};

interface Peer {
  streams: number;
  idleSince: number;
  awaitsPong: boolean;
}

/** Ping interval. A connection that has not answered by the next ping is closed. */
const PING_MS = 15_000;
/** A connection without requests for this long is closed. */
const IDLE_MS = 10 * 60_000;
/** Highest stream id: the first of the two GOAWAY frames of RFC 9113 section 6.8 does not reject any stream yet. */
const LAST_STREAM_ID = 2 ** 31 - 1;

/** Manages the HTTP/2 connections: detects dead ones by ping, closes idle ones, and drains them in two steps. */
class Sessions {
  readonly #peers = new Map<ServerHttp2Session, Peer>();
  readonly #timer: NodeJS.Timeout;

  constructor(pingMs = PING_MS) {
    this.#timer = setInterval(() => this.#check(performance.now()), pingMs);
    this.#timer.unref();
  }

  get count(): number {
    return this.#peers.size;
  }

  add(session: ServerHttp2Session): void {
    const peer: Peer = { streams: 0, idleSince: performance.now(), awaitsPong: false };
    this.#peers.set(session, peer);
    session.on("close", () => this.#peers.delete(session));
    session.on("stream", (stream) => {
      peer.streams++;
      stream.on("close", () => {
        peer.streams--;
        peer.idleSince = performance.now();
      });
    });
  }

  /** Asks clients to use another connection, then accepts no new streams. Open streams may finish. */
  drain(): void {
    clearInterval(this.#timer);
    for (const session of this.#peers.keys()) {
      if (session.destroyed) continue;
      session.goaway(0, LAST_STREAM_ID);
      // The pong proves that the client has read the first GOAWAY and sends no more requests.
      session.ping(() => session.close());
    }
  }

  /** Closes all connections immediately. */
  destroy(): void {
    clearInterval(this.#timer);
    for (const session of this.#peers.keys()) session.destroy();
  }

  #check(now: number): void {
    for (const [session, peer] of this.#peers) {
      if (peer.awaitsPong) session.destroy();
      else if (peer.streams === 0 && now - peer.idleSince > IDLE_MS) session.close();
      else {
        peer.awaitsPong = true;
        session.ping(() => {
          peer.awaitsPong = false;
        });
      }
    }
  }
}
