import { timingSafeEqual } from "node:crypto";
import type { Db } from "../../db/client";
import { findKeyByHash, type KeyRow } from "../../db/keys";
import { AppError } from "../../lib/errors";
import { bearerToken } from "../bearer-token";
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

export interface VerifierDeps {
  db: Db;
  defaults: DefaultLimits;
  /** SHA-256 of the configured admin key, the only key that may have any format. */
  bootstrapHash?: Buffer;
  now: () => Date;
  onUse: (keyId: string, at: Date) => void;
}

/**
 * Verifies the key of every request: one SHA-256 and one map lookup if the key was verified within a second. Keys are
 * looked up by their hash only, so a wrong secret with a known id takes as long as an unknown key.
 */
export class Verifier {
  readonly #known = new OneSecondCache<Known>();
  readonly #reads = new Map<string, Promise<Known | undefined>>();

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
    if (!key) return undefined;
    const known = { key, principal: toPrincipal(key, this.deps.defaults, "key") };
    this.#known.set(digest, known, now.getTime());
    return known;
  }
}

const unknownKey = () =>
  new AppError("invalid_api_key", "This API key does not exist. Check that you copied all of it, or ask an admin.");
