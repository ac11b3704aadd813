import type { Db } from "../db/client";
import { settleJobAndPublish } from "../db/ended-work";
import {
  beatWorker,
  deleteWorker,
  hasStrays,
  insertWorker,
  listWorkers,
  removeWorker,
  requeueStrays,
  rescueTasks,
  type WorkerRow,
} from "../db/workers";
import { hashOf } from "../gateway/keys/format";
import { newWorkerToken } from "../gateway/keys/verifier";
import { AppError, toEnvelope } from "../lib/errors";
import { newId } from "../lib/ids";
import type { Log } from "../lib/log";
import { isGone, ownIdentity } from "./process-identity";

/** A task is quarantined after this many workers in a row died while running it. */
export const MAX_DEATHS = 3;

/** Maximum interval between heartbeats. Fixed, because the gateway reads heartbeats without knowing the lease. */
const MAX_BEAT_MS = 10_000;

export const beatMs = (leaseMs: number): number => Math.min(MAX_BEAT_MS, leaseMs / 3);

interface WorkerLeaseOptions {
  db: Db;
  log: Log;
  /** A worker without a heartbeat for this long is considered dead. */
  leaseMs: number;
  /** Kinds of tasks that are never quarantined. */
  unquarantinedKinds?: readonly string[];
  now?: () => Date;
  /** A clock in milliseconds that is never adjusted. */
  monotonicMs?: () => number;
}

const POISON = toEnvelope(
  new AppError(
    "internal",
    `${MAX_DEATHS} workers died while running this task, so it is not retried. Check their logs, or split the work into smaller parts.`,
  ),
  "",
).error;

/**
 * A worker's lease on its tasks. The worker renews its lease with heartbeats, and takes over the tasks of workers whose
 * lease has expired. It times their heartbeats with its own monotonic clock, so adjusting a clock neither makes a live
 * worker look dead nor hides a dead one.
 */
export class WorkerLease {
  #id = newId("worker");
  #token = newWorkerToken();
  readonly #seen = new Map<string, { beat: number; atMs: number }>();
  readonly #now: () => Date;
  readonly #monotonicMs: () => number;

  constructor(private readonly options: WorkerLeaseOptions) {
    this.#now = options.now ?? (() => new Date());
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
  }

  get id(): string {
    return this.#id;
  }

  /** The token that this worker calls the gateway with. It is valid as long as the worker is alive. */
  get token(): string {
    return this.#token;
  }

  async join(): Promise<void> {
    const { db } = this.options;
    const row = { id: this.#id, ...ownIdentity(), tokenHash: hashOf(this.#token) };
    await db.write((tx) => insertWorker(tx, row, this.#now()));
  }

  /** Sends a heartbeat. False if others considered this worker dead: it has lost its tasks and got a new id. */
  async renew(): Promise<boolean> {
    if (await beatWorker(this.options.db, this.#id, this.#now())) return true;
    this.options.log.warn({ worker: this.#id }, "other workers considered this one dead and took over its tasks");
    this.#id = newId("worker");
    this.#token = newWorkerToken();
    await this.join();
    return false;
  }

  /** Requeues the tasks of dead workers and stray tasks. `taskIds` are the running tasks of this worker. */
  async watch(taskIds: readonly number[]): Promise<void> {
    const { db, log } = this.options;
    const others = (await listWorkers(db)).filter(({ id }) => id !== this.#id);
    for (const id of this.#seen.keys()) if (!others.some((other) => other.id === id)) this.#seen.delete(id);
    for (const other of others) if (this.#isDead(other)) await this.#rescue(other);
    const self = { workerId: this.#id, taskIds };
    if (!(await hasStrays(db, self))) return;
    const jobs = await db.write((tx) => requeueStrays(tx, self));
    log.warn({ jobs }, "stray tasks were requeued");
  }

  /** Requeues the tasks of this worker and deletes it. */
  async leave(): Promise<void> {
    await this.options.db.write(async (tx) => {
      await requeueStrays(tx, { workerId: this.#id, taskIds: [] });
      await deleteWorker(tx, this.#id);
    });
  }

  #isDead(other: WorkerRow): boolean {
    if (isGone(other)) return true;
    const nowMs = this.#monotonicMs();
    const seen = this.#seen.get(other.id);
    if (seen?.beat === other.beat) return nowMs - seen.atMs >= this.options.leaseMs;
    this.#seen.set(other.id, { beat: other.beat, atMs: nowMs });
    return false;
  }

  async #rescue(other: WorkerRow): Promise<void> {
    const { db, log, unquarantinedKinds: exceptKinds = [] } = this.options;
    const jobs = await db.write(async (tx) => {
      if (!(await removeWorker(tx, other))) return [];
      const rescued = await rescueTasks(tx, other.id, { maxDeaths: MAX_DEATHS, error: POISON, exceptKinds });
      for (const job of rescued) await settleJobAndPublish(tx, job, null, this.#now());
      return rescued;
    });
    log.warn({ worker: other.id, jobs }, "a worker died: its tasks were released");
  }
}
