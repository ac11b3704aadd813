import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface TcpProxy {
  /** Address of the target through the proxy. */
  url: string;
  /** Stops forwarding in both directions without closing connections, like a pulled cable. */
  freeze(): void;
  /** Forwards new connections again. Connections that were frozen stay dead. */
  thaw(): void;
  close(): Promise<void>;
}

/** A proxy on a free port that can drop packets silently and forward `packetBytes` at a time. */
export const startTcpProxy = async (target: string, packetBytes?: number): Promise<TcpProxy> => {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let isFrozen = false;

  /** Waits after each packet, because the system would merge them. */
  const forwardInPackets = async (from: Socket, to: Socket, bytes: number): Promise<void> => {
    to.setNoDelay(true);
    for await (const data of from as AsyncIterable<Buffer>) {
      for (let at = 0; at < data.length; at += bytes) {
        to.write(data.subarray(at, at + bytes));
        await Bun.sleep(1);
      }
    }
  };

  const forward = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.on("error", () => {});
    if (packetBytes === undefined) from.on("data", (data) => to.write(data));
    else forwardInPackets(from, to, packetBytes).catch(() => {});
    from.once("close", () => {
      sockets.delete(from);
      if (!from.isPaused()) to.destroy();
    });
  };
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    forward(client, upstream);
    forward(upstream, client);
    if (isFrozen) for (const socket of [client, upstream]) socket.pause();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    freeze() {
      isFrozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw() {
      isFrozen = false;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
