import net from "node:net";

/* HTTP/2 frames that no client library would send. */

export const FRAME = { data: 0, headers: 1, priority: 2, reset: 3, settings: 4, goaway: 7, windowUpdate: 8 } as const;
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

/** A connection after the preface. `closed` resolves with the error code of GOAWAY, or -1 without one. */
export const connect = async (
  url: URL,
): Promise<{ write(bytes: Buffer): Promise<boolean>; closed: Promise<number>; destroy(): void }> => {
  const socket = net.connect(Number(url.port), url.hostname);
  socket.on("error", () => {});
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  let goaway = -1;
  let unread = Buffer.alloc(0);
  socket.on("data", (bytes: Buffer) => {
    unread = Buffer.concat([unread, bytes]);
    while (unread.length >= 9 && unread.length >= 9 + unread.readUIntBE(0, 3)) {
      const length = unread.readUIntBE(0, 3);
      if (unread[3] === FRAME.goaway) goaway = unread.readUInt32BE(13);
      unread = unread.subarray(9 + length);
    }
  });
  const closed = new Promise<number>((resolve) => socket.once("close", () => resolve(goaway)));
  socket.write(Buffer.concat([Buffer.from(PREFACE), frame(FRAME.settings, 0, 0)]));
  return {
    closed,
    destroy: () => socket.destroy(),
    /** Returns false after the connection has been closed. */
    write: (bytes) =>
      new Promise((resolve) => {
        if (socket.destroyed || !socket.writable) resolve(false);
        else socket.write(bytes, (error) => resolve(!error));
      }),
  };
};
