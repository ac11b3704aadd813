import { AppError, toAppError } from "../../../lib/errors";
import { withTimeout } from "../../../lib/with-timeout";
import type { VectorMatch, VectorQuery, VectorStore } from "../../ports/vectors";

/** Query timeout. After it, the search continues without the store. */
const QUERY_MS = 3000;
/** Time between two checks of a working store. Queries check it too. */
const CHECK_MS = 30_000;
/** Time between two checks of a store that is down. */
const RECHECK_MS = 5000;

export interface VectorsState {
  status: "ok" | "down";
  since: Date;
  /** Milliseconds of the last query or check. */
  latencyMs: number | null;
  /** Why it is down. Shown to clients. */
  reason: string | null;
}

/** A vector store for queries. While it is down, queries fail immediately instead of waiting for it. */
export class MonitoredVectors {
  #state: VectorsState = { status: "ok", since: new Date(), latencyMs: null, reason: null };
  #checkedAt = Number.NEGATIVE_INFINITY;
  #checking: Promise<void> | undefined;

  constructor(
    private readonly store: Pick<VectorStore, "id" | "check" | "query">,
    private readonly monotonicMs = () => performance.now(),
  ) {}

  get id(): string {
    return this.store.id;
  }

  /** Throws unavailable if the store is down, and what `VectorStore.query` throws. */
  async query(namespace: string, query: VectorQuery): Promise<VectorMatch[]> {
    const { status, reason } = this.state();
    if (status === "down") throw down(reason);
    return this.#observe(() => this.store.query(namespace, query));
  }

  /** The last known state. Starts a check in the background if the last one is too old. */
  state(): VectorsState {
    const maxAgeMs = this.#state.status === "ok" ? CHECK_MS : RECHECK_MS;
    if (this.monotonicMs() - this.#checkedAt >= maxAgeMs) {
      this.#checking ??= this.#observe(() => this.store.check())
        .catch(() => undefined)
        .finally(() => {
          this.#checking = undefined;
        });
    }
    return this.#state;
  }

  async #observe<T>(ask: () => Promise<T>): Promise<T> {
    const startedAt = this.monotonicMs();
    try {
      const answer = await withTimeout(
        ask().then((value) => ({ value })),
        QUERY_MS,
      );
      if (!answer) throw down(`It did not respond within ${QUERY_MS / 1000} seconds.`);
      this.#set("ok", null, this.monotonicMs() - startedAt);
      return answer.value;
    } catch (thrown) {
      const { kind, message } = toAppError(thrown);
      // Other errors are about the request.
      if (kind === "unavailable" || kind === "upstream_error") this.#set("down", message, null);
      throw thrown;
    } finally {
      this.#checkedAt = this.monotonicMs();
    }
  }

  #set(status: VectorsState["status"], reason: string | null, latencyMs: number | null): void {
    const since = this.#state.status === status ? this.#state.since : new Date();
    this.#state = { status, since, latencyMs, reason };
  }
}

const down = (reason: string | null): AppError =>
  new AppError("unavailable", `The vector store is down. ${reason ?? ""} Use keyword mode, or try again later.`, {
    retryAfterMs: RECHECK_MS,
  });
