import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "./free-port";
import { findRedis } from "./programs";

/** Path of the binary; undefined if it is not installed. Tests that need Redis are then reported as skipped. */
export const redisBinary = findRedis();

/** A real Redis for one test. */
export interface RedisServer {
  url: string;
  /** kill -9; the port stays free for `start`. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty. */
  start(): Promise<void>;
  /** SIGSTOP: connections stay open, but get no responses. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

/** Resolves when the server responds; throws if it has ended. */
const answers = async (url: string, hasEnded: () => boolean): Promise<void> => {
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => (hasEnded() ? null : 20),
    maxRetriesPerRequest: null,
  });
  redis.on("error", () => {});
  try {
    await redis.ping();
  } finally {
    redis.disconnect();
  }
};

export const startRedis = async (): Promise<RedisServer> => {
  if (!redisBinary) throw new Error("redis-server is not installed.");
  const binary = redisBinary;
  const dir = await mkdtemp(join(tmpdir(), "groundwire-redis-"));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const spawn = () =>
    Bun.spawn(
      [binary, "--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", dir],
      {
        stdout: "ignore",
        stderr: "ignore",
      },
    );
  let child = spawn();
  await answers(url, () => child.exitCode !== null);

  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await child.exited;
  };
  return {
    url,
    kill,
    start: async () => {
      child = spawn();
      await answers(url, () => child.exitCode !== null);
    },
    freeze: () => child.kill("SIGSTOP"),
    thaw: () => child.kill("SIGCONT"),
    stop: async () => {
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
};
