import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";
import type { Db, Tx } from "../../db/client";
import * as store from "../../db/idempotency";
import { canonicalHash } from "../../lib/canonical-json";
import { AppError } from "../../lib/errors";
import type { Log } from "../../lib/log";
import { bearerToken, credentialsOf } from "../bearer-token";
import type { Principal } from "../principal";

/** How long the first response is kept for repeated requests. */
const KEEP_MS = 24 * 3_600_000;
/** A request that misses heartbeats for this long is considered dead, and its key may be used again. */
const HOLD_MS = 30_000;
const EXTEND_MS = 10_000;

/** Stores the response in the transaction of the change that it reports. Throws conflict. */
export type Seal = (tx: Tx, answer: unknown) => Promise<void>;

/** The parts of a request used here. `headers` are those of its response. */
interface KeyedRequest {
  request: Pick<Request, "method" | "url" | "headers">;
  requestId: string;
  headers: Record<string, string>;
}

interface IdempotencyDeps {
  db: Pick<Db, "write">;
  log: Log;
  now?: () => Date;
}

export const createIdempotency = ({ db, log, now = () => new Date() }: IdempotencyDeps) => ({
  /**
   * Runs `make` once for the request's `Idempotency-Key` and returns its result, a JSON value, to repeated requests for
   * a day. Without the header, `make` always runs. `sent` is everything the caller sent. If `make` throws, the key can
   * be used again. Throws idempotency_mismatch for a different `sent`, and conflict while the first request is still
   * running.
   */
  async once<T>(
    exchange: KeyedRequest,
    principal: Pick<Principal, "keyId">,
    sent: unknown,
    make: (seal: Seal) => Promise<T>,
  ): Promise<T> {
    const { request } = exchange;
    const key = keyOf(request.headers);
    if (key === undefined) return make(async () => {});

    const id = idOf(request, principal, key);
    const vault = vaultOf(bearerToken(credentialsOf(request.headers)), key);
    const holder = exchange.requestId + randomBytes(8).toString("hex");
    const later = (ms: number) => new Date(now().getTime() + ms);
    const claim = { id, fingerprint: canonicalHash(sent), holder };
    const known = await store.claimIdempotencyKey(
      db,
      { ...claim, heldUntil: later(HOLD_MS), expiresAt: later(KEEP_MS) },
      now(),
    );
    if (known !== "claimed") {
      exchange.headers["idempotent-replayed"] = "true";
      return JSON.parse(vault.open(answerOf(known, claim.fingerprint)));
    }

    const extending = setInterval(() => {
      store
        .extendIdempotencyKey(db, id, holder, later(HOLD_MS))
        .catch((error) => log.warn({ err: error }, "could not renew an idempotency key"));
    }, EXTEND_MS);
    let isSealed = false;
    const seal: Seal = async (tx, answer) => {
      const isKept = await store.sealIdempotencyKey(tx, id, holder, vault.lock(JSON.stringify(answer)));
      if (!isKept) throw stillRunning();
      isSealed = true;
    };
    try {
      const answer = await make(seal);
      if (!isSealed) await db.write((tx) => seal(tx, answer));
      return answer;
    } catch (error) {
      // If the transaction that sealed the key failed to commit, the key is not sealed and is freed too.
      await store
        .releaseIdempotencyKey(db, id, holder)
        .catch((failure) => log.warn({ err: failure }, "could not release an idempotency key"));
      throw error;
    } finally {
      clearInterval(extending);
    }
  },

  /**
   * Frees a request's key in the transaction that undoes its change, so that the same request can run again. Does
   * nothing without the header.
   */
  async forget(tx: Tx, { request }: Pick<KeyedRequest, "request">, principal: Pick<Principal, "keyId">): Promise<void> {
    const key = keyOf(request.headers);
    if (key !== undefined) await store.deleteIdempotencyKey(tx, idOf(request, principal, key));
  },

  /** Deletes keys that are older than a day. */
  sweep: () => store.deleteExpiredIdempotencyKeys(db, now()),
});

export type Idempotency = ReturnType<typeof createIdempotency>;

const idOf = (
  { method, url }: Pick<Request, "method" | "url">,
  { keyId }: Pick<Principal, "keyId">,
  key: string,
): string => sha256(keyId, method, new URL(url).pathname, key);

/** The header's value without the quotes of a structured field (draft-ietf-httpapi-idempotency-key-header). */
const keyOf = (headers: Headers): string | undefined => {
  const given = headers.get("idempotency-key");
  if (given === null) return undefined;
  const key = /^"(.*)"$/.exec(given)?.[1] ?? given;
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new AppError("invalid_request", "The Idempotency-Key header must be 1 to 255 visible ASCII characters.", {
    param: "idempotency-key",
  });
};

const answerOf = (known: store.IdempotencyRow, fingerprint: string): string => {
  if (known.fingerprint !== fingerprint) {
    throw new AppError(
      "idempotency_mismatch",
      "This Idempotency-Key was already used for a different request. Use a new key for each request.",
      { param: "idempotency-key" },
    );
  }
  if (known.answer === null) throw stillRunning();
  return known.answer;
};

const stillRunning = (): AppError =>
  new AppError("conflict", "The first request with this Idempotency-Key is still running. Try again in a moment.", {
    retryAfterMs: 1000,
  });

const sha256 = (...parts: string[]): string => createHash("sha256").update(parts.join("\n")).digest("hex");

/**
 * Encrypts stored responses, because they may contain a secret that is shown only once, such as a new key. Uses
 * AES-256-GCM with a key that is derived (HKDF-SHA-256) from the API key and the `Idempotency-Key`. Neither is stored.
 */
const vaultOf = (apiKey: string, key: string) => {
  const secret = Buffer.from(hkdfSync("sha256", apiKey, key, "groundwire idempotency", 32));
  return {
    lock(text: string): string {
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", secret, nonce);
      const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString("base64");
    },
    open(locked: string): string {
      const bytes = Buffer.from(locked, "base64");
      const decipher = createDecipheriv("aes-256-gcm", secret, bytes.subarray(0, 12));
      decipher.setAuthTag(bytes.subarray(12, 28));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString("utf8");
      } catch (cause) {
        throw new AppError(
          "conflict",
          "This Idempotency-Key was used with a previous admin key, so its response can't be decrypted. Use a new key.",
          { cause },
        );
      }
    },
  };
};
