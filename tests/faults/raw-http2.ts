import net from "node:net";

/* HTTP/2 frames that no client library would send. */

export const FRAME = {
  ...{ data: 0, headers: 1, priority: 2, reset: 3, settings: 4 },
  ...{ ping: 6, goaway: 7, windowUpdate: 8, continuation: 9 },
} as const;
export const FLAG = { endStream: 1, endHeaders: 4 } as const;

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

export const frame = (type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array()): Buffer => {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
};

export const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** Encodes headers with HPACK, without compression: literal fields, never indexed, lengths below 127. */
export const headers = (fields: Record<string, string>): Buffer =>
  Buffer.concat(
    Object.entries(fields).flatMap(([name, value]) => [
      Buffer.from([0x10, name.length]),
      Buffer.from(name),
      Buffer.from([value.length]),
      Buffer.from(value),
    ]),
  );

export interface RawConnection {
  /** Returns false after the connection has been closed. */
  write(bytes: Uint8Array): Promise<boolean>;
  /** The error code of GOAWAY, or -1 without one. */
  closed: Promise<number>;
  /** Number of frames received that end a stream. */
  ended(): number;
  /** `pause` stops reading until `resume`. */
  pause(): void;
  resume(): void;
  destroy(): void;
}

/**
 * A connection after the preface. `windowBytes`: how much the server may send in addition to the first 65,535 bytes; by
 * default, so much that the window never fills.
 */
export const connect = async (url: URL, { windowBytes = 2 ** 30 } = {}): Promise<RawConnection> => {
  const socket = net.connect(Number(url.port), url.hostname);
  socket.on("error", () => {});
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  let goaway = -1;
  let ended = 0;
  let unread = Buffer.alloc(0);
  socket.on("data", (bytes: Buffer) => {
    unread = Buffer.concat([unread, bytes]);
    while (unread.length >= 9 && unread.length >= 9 + unread.readUIntBE(0, 3)) {
      const length = unread.readUIntBE(0, 3);
      const [type = 0, flags = 0] = [unread[3], unread[4]];
      if (type === FRAME.goaway) goaway = unread.readUInt32BE(13);
      if (type <= FRAME.headers && flags & FLAG.endStream) ended++;
      unread = unread.subarray(9 + length);
    }
  });
  const closed = new Promise<number>((resolve) => socket.once("close", () => resolve(goaway)));
  const window = windowBytes > 0 ? frame(FRAME.windowUpdate, 0, 0, uint32(windowBytes)) : Buffer.alloc(0);
  socket.write(Buffer.concat([Buffer.from(PREFACE), frame(FRAME.settings, 0, 0), window]));
  return {
    closed,
    ended: () => ended,
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    destroy: () => socket.destroy(),
    write: (bytes) =>
      new Promise((resolve) => {
        if (socket.destroyed || !socket.writable) resolve(false);
        else socket.write(bytes, (error) => resolve(!error));
      }),
  };
};
