import { AppError } from "../lib/errors";
import type { Log } from "../lib/log";

/** What goes on for a key after the key was checked, such as an answer that is being generated. */
export interface ActiveRequest {
  keyId: string;
  /** Ends it; `error` is what its reader gets to know. */
  end(error: AppError): void;
}

/** Which of these keys have been revoked or have expired. */
interface KeyCheck {
  unusable(ids: readonly string[]): Promise<string[]>;
}

/** How often the keys of what runs are looked at: a revoked key's streams end within this time. */
const LOOK_MS = 1000;

/**
 * What runs for keys now. A key is checked when a request comes in; what outlives that moment stands here, so that the
 * end of the key ends it too, in whichever process the key was revoked.
 */
export class ActiveRequests {
  readonly #runs = new Set<ActiveRequest>();
  #timer: Timer | undefined;
  #isLooking = false;

  /** How much runs now. */
  get size(): number {
    return this.#runs.size;
  }

  add(run: ActiveRequest): void {
    this.#runs.add(run);
  }

  delete(run: ActiveRequest): void {
    this.#runs.delete(run);
  }

  /** Looks once a second until `close`. A look that fails is logged, and the next one makes up for it. */
  open(keys: KeyCheck, log: Log): void {
    this.#timer ??= setInterval(() => {
      if (this.#isLooking || this.#runs.size === 0) return;
      this.#isLooking = true;
      this.#endUnusable(keys)
        .catch((error) => log.warn({ err: error }, "the keys of running answers were not looked at"))
        .finally(() => {
          this.#isLooking = false;
        });
    }, LOOK_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #endUnusable(keys: KeyCheck): Promise<void> {
    const unusable = await keys.unusable([...new Set([...this.#runs].map(({ keyId }) => keyId))]);
    if (unusable.length === 0) return;
    const message = "This API key was revoked or expired while its answer was written. Ask an admin for a new one.";
    for (const run of [...this.#runs]) {
      if (unusable.includes(run.keyId)) run.end(new AppError("invalid_api_key", message));
    }
  }
}
