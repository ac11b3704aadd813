import type { Config } from "../lib/config";
import { AppError } from "../lib/errors";
import { localUrl } from "../lib/local-url";
import type { Log } from "../lib/log";
import { withTimeout } from "../lib/with-timeout";
import { closeAll } from "./closing";
import { compose } from "./compose";

/** Wait before the port closes, so that a load balancer that checks `/readyz` every second sees the change. */
const RED_BEFORE_CLOSING_MS = 1000;
/** The server accepts bodies of any size, so that the gate can reject large ones with its own error. */
const SERVER_BODY_BYTES = Number.MAX_SAFE_INTEGER;

/** Starts the gateway and resolves when it is listening. If `config.gateway.port` is 0, the system chooses a free port. */
export const startGateway = async (config: Config, log: Log) => {
  const composition = await compose(config, log);
  const { app, services } = composition;
  await composition.open();
  const { host, port: wanted } = config.gateway;
  try {
    app.listen({
      hostname: host,
      port: wanted,
      development: false,
      reusePort: false,
      idleTimeout: 10,
      maxRequestBodySize: SERVER_BODY_BYTES,
    });
  } catch (error) {
    await composition.close(0);
    throw new AppError(
      "invalid_request",
      `The gateway can't listen on ${host}:${wanted}. Stop the process using it, or set GROUNDWIRE_HOST or GROUNDWIRE_PORT.`,
      { cause: error },
    );
  }
  const server = app.server;
  if (!server?.port) throw new Error("The gateway has no port.");
  const { port } = server;
  const url = localUrl("http", host, port);
  log.info({ url }, "listening");

  return {
    url,
    port,
    services,
    /** The admin key created on the first run. It is shown only once. */
    createdAdminKey: composition.createdAdminKey,
    /**
     * Reports not ready, stops accepting requests, waits up to `graceMs` for running answers, then closes. Throws if any
     * part fails to close.
     */
    async close(graceMs = config.gateway.drainMs): Promise<void> {
      const until = performance.now() + graceMs;
      services.health.drain();
      await Bun.sleep(Math.min(RED_BEFORE_CLOSING_MS, graceMs));
      const stopped = server.stop();
      await withTimeout(stopped, Math.max(0, until - performance.now()));
      const steps = {
        services: () => composition.close(Math.max(0, until - performance.now())),
        connections: () => server.stop(true),
      };
      await closeAll(steps, log);
      log.info("closed");
    },
  };
};
