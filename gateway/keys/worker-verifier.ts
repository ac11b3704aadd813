import { randomBytes } from "node:crypto";
import type { Db } from "../../db/client";
import { findKey } from "../../db/keys";
import { findWorkerByToken } from "../../db/workers";
import { AppError } from "../../lib/errors";
import { SILENT_MS } from "../jobs/service";
import type { Principal } from "../principal";
import { digestOf } from "./format";
import { assertUsable, type DefaultLimits, toPrincipal } from "./rules";
import { OneSecondCache, type VerifierDeps } from "./verifier";

/** A new token of a jobs worker. Only its SHA-256 is stored, beside the worker's row. */
export const newWorkerToken = (): string => `gws_${randomBytes(32).toString("base64url")}`;

type KeyRow = NonNullable<Awaited<ReturnType<typeof findKey>>>;

interface Known {
  key: KeyRow;
  principal: Principal;
}

interface WorkerVerifierDeps extends Pick<VerifierDeps, "now" | "onUse"> {
  db: Db;
  defaults: DefaultLimits;
}

/** Verifies calls of jobs workers, which act with the identity, rights and limits of the key that they work for. */
export class WorkerVerifier {
  readonly #known = new OneSecondCache<Known>();

  constructor(private readonly deps: WorkerVerifierDeps) {}

  /** Throws invalid_api_key: the worker is dead, or the key is missing, unknown, revoked or expired. */
  async verify(token: string, keyId: string | undefined): Promise<Principal> {
    if (!keyId) {
      throw new AppError(
        "invalid_api_key",
        "A jobs worker must name the key that it works for in the header x-groundwire-on-behalf-of.",
      );
    }
    const now = this.deps.now();
    const digest = digestOf(token);
    const name = `${digest} ${keyId}`;
    const { key, principal } = this.#known.get(name, now.getTime()) ?? (await this.#read(name, digest, keyId, now));
    assertUsable(key, now);
    this.deps.onUse(key.id, now);
    return principal;
  }

  /** Call after a change of the key. */
  forget(keyId: string): void {
    this.#known.drop(({ key }) => key.id === keyId);
  }

  sweep(): void {
    this.#known.sweep(this.deps.now().getTime());
  }

  async #read(name: string, digest: string, keyId: string, now: Date): Promise<Known> {
    const { db, defaults } = this.deps;
    const worker = await findWorkerByToken(db, Buffer.from(digest, "base64"));
    if (!worker || now.getTime() - worker.beatAt.getTime() >= SILENT_MS) {
      throw new AppError("invalid_api_key", "This token does not belong to a live jobs worker.");
    }
    const key = await findKey(db, keyId);
    if (!key) throw new AppError("invalid_api_key", `The key ${keyId} does not exist.`);
    const known = { key, principal: toPrincipal(key, defaults, "worker") };
    this.#known.set(name, known, now.getTime());
    return known;
  }
}
