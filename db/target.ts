import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Config } from "../lib/config";

export interface DbOptions {
  /** `file:…`, `libsql://…`, `http(s)://…`, or `:memory:` for a temporary file that `close` deletes. */
  url: string;
  authToken?: string;
  /** Timeout for another process's write lock, in milliseconds; default 5,000. */
  lockWaitMs?: number;
}

export interface Target {
  url: string;
  /** Path of the file; undefined for a libSQL server. */
  path?: string;
  authToken?: string;
  lockWaitMs: number;
  discard(): void;
}

/** The configured database: a libSQL server, or `groundwire.db` in the data folder. */
export const databaseOptions = (config: Config): DbOptions => ({
  url: config.store.url ?? `file:${join(config.dataDir, "groundwire.db")}`,
  authToken: config.store.authToken,
});

/** Creates the file and its folder, readable only by this user. SQLite gives its log files the same mode. */
export const resolveTarget = ({ url, authToken, lockWaitMs = 5000 }: DbOptions): Target => {
  const rest = { authToken, lockWaitMs, discard: () => {} };
  if (url === ":memory:") {
    // Several connections can't share SQLite's own in-memory database, so it would behave unlike a file.
    const folder = mkdtempSync(join(tmpdir(), "groundwire-"));
    const discard = () => rmSync(folder, { recursive: true, force: true });
    return { ...rest, ...fileTarget(join(folder, "groundwire.db")), discard };
  }
  return url.startsWith("file:") ? { ...rest, ...fileTarget(url.slice("file:".length)) } : { ...rest, url };
};

const fileTarget = (path: string) => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  create(path);
  return { url: `file:${path}`, path };
};

/**
 * Never opens a file that exists: closing it would release the locks of every other connection of this process (POSIX), and
 * another process that closes the database could then delete the log with our commits.
 */
const create = (path: string): void => {
  try {
    closeSync(openSync(path, "ax", 0o600));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
};
