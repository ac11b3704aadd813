import type { WorkerRow } from "../../db/workers";

/** A worker that misses heartbeats for this long is considered dead. It sends one every ten seconds. */
const SILENT_MS = 60_000;

/**
 * Tells live workers from dead ones. Clocks are compared only for the first heartbeat that this process sees from a
 * worker. After that, the worker is alive as long as its heartbeat keeps changing, even if a clock is wrong or is
 * reset.
 */
export class Heartbeats {
  /** Each worker's last heartbeat. `changedMs`: when it last changed, on this process's monotonic clock. */
  readonly #seen = new Map<string, { beat: number; changedMs: number }>();

  isAlive(
    { id, beat, beatAt }: Pick<WorkerRow, "id" | "beat" | "beatAt">,
    now: Date,
    nowMs = performance.now(),
  ): boolean {
    const seen = this.#seen.get(id);
    const ageMs = Math.max(0, now.getTime() - beatAt.getTime());
    const changedMs = seen === undefined ? nowMs - ageMs : seen.beat === beat ? seen.changedMs : nowMs;
    this.#seen.set(id, { beat, changedMs });
    return nowMs - changedMs < SILENT_MS;
  }

  /** Forgets all workers except these. */
  keep(ids: readonly string[]): void {
    for (const id of this.#seen.keys()) if (!ids.includes(id)) this.#seen.delete(id);
  }
}
