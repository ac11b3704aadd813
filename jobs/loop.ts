import type { Db } from "../db/client";
import { type ClaimedTask, claimTasks, deleteEndedJobs, hasDueTask, listCancelled } from "../db/jobs";
import type { Log } from "../lib/log";
import { Mutex } from "../lib/mutex";
import { withTimeout } from "../lib/with-timeout";
import type { JobHandler, StopReason } from "./handler";
import { beatMs, Membership } from "./membership";
import { runTask } from "./run-task";

/** How often an idle worker looks for work: one indexed read. */
const POLL_MS = 100;
/** A cancelled job stops within this time. */
const CANCEL_MS = 1000;
const SWEEP_MS = 60_000;
/** After a failure of the loop itself, such as a database that is away. */
const PAUSE_MS = 1000;
/** How long ended jobs can be read. */
const KEEP_JOBS_MS = 30 * 86_400_000;
const DELETE_AT_ONCE = 500;

interface LoopOptions {
  db: Db;
  log: Log;
  handlers: readonly JobHandler[];
  /** Housekeeping that belongs to no kind of job: done once a minute. */
  sweeps?: readonly (() => Promise<void>)[];
  /** A worker sends three heartbeats in this time. Without any, it is considered dead. */
  leaseMs: number;
  now?: () => Date;
}

interface Running {
  task: ClaimedTask;
  abort: AbortController;
  done: Promise<void>;
}

/**
 * One worker: claims due tasks as far as it has room, runs them, beats, and takes over from workers that died. Any
 * number of them may run on one database.
 */
export class JobLoop {
  readonly #options: LoopOptions;
  readonly #now: () => Date;
  readonly #membership: Membership;
  readonly #running = new Map<number, Running>();
  /** What was claimed is begun before anybody looks at what this worker is at. */
  readonly #claiming = new Mutex();
  readonly #rounds: { stop(): Promise<void> }[] = [];
  /** Resolves when a task has ended, so that its place is filled at once. */
  #freed = Promise.withResolvers<void>();
  #isClosing = false;
  #polling: Promise<void> = Promise.resolve();

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => new Date());
    this.#membership = new Membership(options);
  }

  get workerId(): string {
    return this.#membership.id;
  }

  /** Starts to work. Throws if the database can't be written. */
  async open(): Promise<void> {
    const { leaseMs } = this.#options;
    await this.#membership.join();
    await this.#watch();
    this.#every(beatMs(leaseMs), "a heartbeat failed", () => this.#beat());
    this.#every(leaseMs / 6, "looking after other workers failed", () => this.#watch());
    this.#every(CANCEL_MS, "looking for cancelled jobs failed", () => this.#stopCancelled());
    this.#every(SWEEP_MS, "a sweep failed", () => this.#sweep());
    this.#polling = this.#poll();
  }

  /** Claims nothing more, lets what runs end for at most `graceMs`, gives the rest back, and leaves. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    this.#freed.resolve();
    await this.#polling;
    await withTimeout(this.#idle(), graceMs);
    this.#stop([...this.#running.values()], "draining");
    await this.#idle();
    // A heartbeat that is on its way would find no worker, and join as a new one.
    await Promise.all(this.#rounds.map((round) => round.stop()));
    await this.#membership.leave();
  }

  async #poll(): Promise<void> {
    while (!this.#isClosing) {
      const freed = this.#freed.promise;
      try {
        if (await this.#claiming.run(() => this.#claim())) continue;
        await Promise.race([Bun.sleep(POLL_MS), freed]);
      } catch (error) {
        this.#options.log.error({ err: error }, "looking for work failed");
        await Bun.sleep(PAUSE_MS);
      }
    }
  }

  /** Starts what is due and has room. True when there was something. */
  async #claim(): Promise<boolean> {
    const { db, handlers } = this.#options;
    const withRoom = handlers.filter((handler) => this.#room(handler) > 0);
    const kinds = withRoom.map(({ kind }) => kind);
    if (kinds.length === 0 || !(await hasDueTask(db, kinds, this.#now()))) return false;
    let started = 0;
    for (const handler of withRoom) {
      const claim = { workerId: this.workerId, kind: handler.kind, limit: this.#room(handler) };
      const claimed = await claimTasks(db, claim, this.#now());
      for (const task of claimed) this.#start(handler, task);
      started += claimed.length;
    }
    return started > 0;
  }

  #room({ kind, concurrency }: JobHandler): number {
    const running = [...this.#running.values()].filter(({ task }) => task.kind === kind).length;
    return concurrency - running;
  }

  #start(handler: JobHandler, task: ClaimedTask): void {
    const abort = new AbortController();
    const { db, log } = this.#options;
    const end = async (): Promise<void> => {
      await runTask({ db, log, now: this.#now }, handler, task, abort.signal);
      this.#running.delete(task.id);
      this.#freed.resolve();
      this.#freed = Promise.withResolvers();
      await handler.sweep?.().catch((error) => log.warn({ err: error, kind: task.kind }, "a sweep failed"));
    };
    this.#running.set(task.id, { task, abort, done: end() });
  }

  #stop(running: readonly Running[], reason: StopReason): void {
    for (const { abort } of running) abort.abort(reason);
  }

  async #idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  #watch(): Promise<void> {
    return this.#claiming.run(() => this.#membership.watch([...this.#running.keys()]));
  }

  async #beat(): Promise<void> {
    const running = [...this.#running.values()];
    if (!(await this.#membership.beat())) this.#stop(running, "lost");
  }

  async #stopCancelled(): Promise<void> {
    const running = [...this.#running.values()];
    const cancelled = new Set(
      await listCancelled(
        this.#options.db,
        running.map(({ task }) => task.jobId),
      ),
    );
    this.#stop(
      running.filter(({ task }) => cancelled.has(task.jobId)),
      "cancelled",
    );
  }

  async #sweep(): Promise<void> {
    const { db, handlers, sweeps = [] } = this.#options;
    const before = new Date(this.#now().getTime() - KEEP_JOBS_MS);
    await db.write((tx) => deleteEndedJobs(tx, before, DELETE_AT_ONCE));
    for (const handler of handlers) await handler.sweep?.();
    for (const sweep of sweeps) await sweep();
  }

  /** One at a time: a round that takes longer than the pause is not begun again before its end. */
  #every(ms: number, failure: string, work: () => Promise<unknown>): void {
    let round: Promise<void> | undefined;
    const run = async (): Promise<void> => {
      await work().catch((error) => this.#options.log.error({ err: error }, failure));
      round = undefined;
    };
    const timer = setInterval(() => {
      round ??= run();
    }, ms);
    const stop = async (): Promise<void> => {
      clearInterval(timer);
      await round;
    };
    this.#rounds.push({ stop });
  }
}
