import type { ServerHttp2Session } from "node:http2";

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
export class Sessions {
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
