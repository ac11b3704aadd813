import { createServer } from "node:net";
import { AppError } from "../../../lib/errors";

const MAX_TRIES = 100;

/** The port if it is free (for 0, one chosen by the system), otherwise undefined. */
export const probePort = (host: string, port: number): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(new AppError("invalid_request", `Can't listen on ${host}:${port}: ${error.message}`));
    });
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      const found = typeof address === "object" && address !== null ? address.port : port;
      server.close(() => resolve(found));
    });
  });

/**
 * A free port: `port` if a setting wants exactly this one (`wanted`), otherwise the first free port at or above `port`.
 * Throws invalid_request.
 */
export const choosePort = async (host: string, port: number, wanted?: { setting: string }): Promise<number> => {
  for (let candidate = port; candidate < Math.min(port + MAX_TRIES, 65536); candidate++) {
    const found = await probePort(host, candidate);
    if (found !== undefined) return found;
    if (wanted) {
      throw new AppError(
        "invalid_request",
        `${wanted.setting} is ${port}, and another program uses it. Stop that program or set another port.`,
      );
    }
  }
  throw new AppError("invalid_request", `No free port at or above ${port}. Set one with GROUNDWIRE_PORT.`);
};
