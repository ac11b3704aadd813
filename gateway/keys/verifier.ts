import { randomBytes, timingSafeEqual } from "node:crypto";
import type { Db } from "../../db/client";
import { findKey, findKeyByHash, type KeyRow } from "../../db/keys";
import { findWorkerByToken } from "../../db/workers";
import { AppError } from "../../lib/errors";
import { bearerToken } from "../bearer-token";
import { Heartbeats } from "../jobs/heartbeats";
import type { Principal } from "../principal";
import { digestOf, isWellFormed } from "./format";
import { assertUsable, type DefaultLimits, toPrincipal } from "./rules";

/** A key or session that another process revoked is rejected within this time. */
const MAX_AGE_MS = 1000;

/** Caches database reads for a second, even if the clock is set back. */
export class OneSecondCache<V> {
  readonly #entries = new Map<string, { value: V; readAtMs: number }>();

  get(key: string, nowMs: number): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    const ageMs = nowMs - entry.readAtMs;
    return ageMs >= 0 && ageMs < MAX_AGE_MS ? entry.value : undefined;
  }

  /** `readAtMs`: when the read started, not when it ended. */
  set(key: string, value: V, readAtMs: number): void {
    this.#entries.set(key, { value, readAtMs });
  }

  drop(matches: (value: V) => boolean): void {
    for (const [key, { value }] of this.#entries) if (matches(value)) this.#entries.delete(key);
  }

  /** Deletes expired entries. */
  sweep(nowMs: number): void {
    for (const key of this.#entries.keys()) if (this.get(key, nowMs) === undefined) this.#entries.delete(key);
  }
}

interface Known {
  key: KeyRow;
  principal: Principal;
}

interface VerifierDeps {
  db: Db;
  defaults: DefaultLimits;
  /** SHA-256 of the configured admin key, the only key that may have any format. */
  bootstrapHash?: Buffer;
  now: () => Date;
  onUse: (keyId: string, at: Date) => void;
}

/** A new token of a jobs worker. Only its SHA-256 is stored, beside the worker's row. */
export const newWorkerToken = (): string => `gws_${randomBytes(32).toString("base64url")}`;

/**
 * Verifies the key of every request: one SHA-256 and one map lookup if the key was verified within a second. Keys are
 * looked up by their hash only, so a wrong secret with a known id takes as long as an unknown key. Jobs workers act with
 * the identity, rights and limits of the key that they work for.
 */
export class Verifier {
  readonly #known = new OneSecondCache<Known>();
  readonly #reads = new Map<string, Promise<Known | undefined>>();
  readonly #heartbeats = new Heartbeats();

  constructor(private readonly deps: VerifierDeps) {}

  /** Synchronous for a key verified within the last second. Throws missing_api_key or invalid_api_key. */
  verify(authorization: string | undefined): Principal | Promise<Principal> {
    const key = bearerToken(authorization);
    const digest = digestOf(key);
    const now = this.deps.now();
    const known = this.#known.get(digest, now.getTime());
    if (known) return this.#admit(known, now);
    const hash = Buffer.from(digest, "base64");
    if (!this.#isPlausible(key, hash)) throw unknownKey();
    return this.#find(digest, hash, now).then((found) => {
      if (!found || !timingSafeEqual(found.key.secretHash, hash)) throw unknownKey();
      return this.#admit(found, now);
    });
  }

  /** Throws invalid_api_key: the worker is dead, or the key is missing, unknown, revoked or expired. */
  async verifyWorker(token: string, keyId: string | undefined): Promise<Principal> {
    if (!keyId) {
      throw new AppError(
        "invalid_api_key",
        "A jobs worker must name the key that it works for in the x-groundwire-on-behalf-of header.",
      );
    }
    const now = this.deps.now();
    const digest = digestOf(token);
    const known = this.#known.get(`${digest} ${keyId}`, now.getTime());
    return this.#admit(known ?? (await this.#readForWorker(digest, keyId, now)), now);
  }

  /** Call this after changing the key. */
  forget(keyId: string): void {
    this.#known.drop(({ key }) => key.id === keyId);
  }

  sweep(): void {
    this.#known.sweep(this.deps.now().getTime());
  }

  /** False for a string that can't be a key, so that the database isn't read. */
  #isPlausible(key: string, hash: Buffer): boolean {
    const { bootstrapHash } = this.deps;
    return isWellFormed(key) || (bootstrapHash !== undefined && timingSafeEqual(bootstrapHash, hash));
  }

  #admit({ key, principal }: Known, now: Date): Principal {
    assertUsable(key, now);
    this.deps.onUse(key.id, now);
    return principal;
  }

  /** Parallel lookups of a key share one read. */
  #find(digest: string, hash: Buffer, now: Date): Promise<Known | undefined> {
    const running = this.#reads.get(digest);
    if (running) return running;
    const read = this.#read(digest, hash, now).finally(() => this.#reads.delete(digest));
    this.#reads.set(digest, read);
    return read;
  }

  async #read(digest: string, hash: Buffer, now: Date): Promise<Known | undefined> {
    const key = await findKeyByHash(this.deps.db, hash);
    return key && this.#keep(digest, key, "key", now);
  }

  async #readForWorker(digest: string, keyId: string, now: Date): Promise<Known> {
    const worker = await findWorkerByToken(this.deps.db, Buffer.from(digest, "base64"));
    if (!worker || !this.#heartbeats.isAlive(worker, now)) {
      throw new AppError("invalid_api_key", "This token does not belong to a live jobs worker.");
    }
    const key = await findKey(this.deps.db, keyId);
    if (!key) throw new AppError("invalid_api_key", `The key ${keyId} does not exist.`);
    return this.#keep(`${digest} ${keyId}`, key, "worker", now);
  }

  #keep(name: string, key: KeyRow, via: Principal["via"], readAt: Date): Known {
    const known = { key, principal: toPrincipal(key, this.deps.defaults, via) };
    this.#known.set(name, known, readAt.getTime());
    return known;
  }
}

const unknownKey = () =>
  new AppError("invalid_api_key", "This API key does not exist. Check that you copied all of it, or ask an admin.");

const WRITE_INTERVAL_MS = 60_000;

/**
 * Collects last-use times and writes them once a minute in one transaction, so that requests don't write. After a
 * failure, they are written a minute later.
 */
export class LastUse {
  #pending = new Map<string, Date>();
  readonly #timer: Timer;

  constructor(private readonly write: (uses: ReadonlyMap<string, Date>) => Promise<void>) {
    this.#timer = setInterval(() => this.flush().catch(() => {}), WRITE_INTERVAL_MS);
    this.#timer.unref();
  }

  touch(id: string, at: Date): void {
    this.#pending.set(id, at);
  }

  async flush(): Promise<void> {
    if (this.#pending.size === 0) return;
    const uses = this.#pending;
    this.#pending = new Map();
    try {
      await this.write(uses);
    } catch (error) {
      this.#pending = new Map([...uses, ...this.#pending]);
      throw error;
    }
  }

  /** Writes the remaining times. If that fails, only the last minute is lost. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush().catch(() => {});
  }
}
