import { AppError } from "../lib/errors";
import type { Log } from "../lib/log";

/** A request that keeps running after its key was checked, such as one whose answer is being generated. */
export interface ActiveRequest {
  keyId: string;
  /** The work has batch priority, so a pause does no harm. */
  isBatch?: boolean;
  /** Ends the request. Its reader gets `error`. */
  end(error: AppError): void;
}

/** Returns the ids of keys that are revoked or expired. */
interface KeyCheck {
  unusable(ids: readonly string[]): Promise<string[]>;
}

/** How often the keys of active requests are checked. The streams of a revoked key end within this time. */
const CHECK_MS = 1000;

/**
 * The active requests of all keys. A key is checked when a request arrives. Requests that run longer are registered
 * here, so that they end when their key is revoked or expires, even if another process revoked it.
 */
export class ActiveRequests {
  readonly #requests = new Set<ActiveRequest>();
  #timer: Timer | undefined;
  #isChecking = false;
  #hadBatches = false;

  /** The number of active requests. */
  get size(): number {
    return this.#requests.size;
  }

  /** Whether requests with batch priority have arrived since the last call, and no other request is active. */
  hadOnlyBatches(): boolean {
    const hadBatches = this.#hadBatches;
    this.#hadBatches = false;
    return hadBatches && [...this.#requests].every(({ isBatch }) => isBatch);
  }

  add(request: ActiveRequest): void {
    this.#requests.add(request);
    this.#hadBatches ||= request.isBatch === true;
  }

  delete(request: ActiveRequest): void {
    this.#requests.delete(request);
  }

  /** Checks the keys once a second until `close`. A failed check is logged, and the next one makes up for it. */
  open(keys: KeyCheck, log: Log): void {
    this.#timer ??= setInterval(() => {
      if (this.#isChecking || this.#requests.size === 0) return;
      this.#isChecking = true;
      this.#endUnusable(keys)
        .catch((error) => log.warn({ err: error }, "could not check the keys of active requests"))
        .finally(() => {
          this.#isChecking = false;
        });
    }, CHECK_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #endUnusable(keys: KeyCheck): Promise<void> {
    const unusable = await keys.unusable([...new Set([...this.#requests].map(({ keyId }) => keyId))]);
    if (unusable.length === 0) return;
    const message = "This API key was revoked or expired during the answer. Ask an admin for a new one.";
    for (const request of [...this.#requests]) {
      if (unusable.includes(request.keyId)) request.end(new AppError("invalid_api_key", message));
    }
  }
}
