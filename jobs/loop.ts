import { setTimeout as sleep } from "node:timers/promises";
import type { Db } from "../db/client";
import { type ClaimedTask, claimTasks, deleteEndedJobs, hasDueTask, listCancelled } from "../db/jobs";
import type { Log } from "../lib/log";
import { Mutex } from "../lib/mutex";
import type { Tracer } from "../lib/tracing/tracer";
import { withTimeout } from "../lib/with-timeout";
import type { JobHandler, StopReason } from "./handler";
import { runTask } from "./run-task";
import { beatMs, MAX_DEATHS, WorkerLease } from "./worker-lease";

/** How often an idle worker checks whether the database has changed. */
const POLL_MS = 100;
/** How often an idle worker looks for work even if the database has not changed: tasks become due over time. */
const LOOK_MS = 1000;
/** A cancelled job stops within this time. */
const CANCEL_MS = 1000;
const SWEEP_MS = 60_000;
/** Pause after a failure of the loop itself, such as an unreachable database. */
const PAUSE_MS = 1000;
/** How long ended jobs are kept. */
const KEEP_JOBS_MS = 30 * 86_400_000;
/** Maximum number of ended jobs deleted in one transaction. */
const MAX_JOBS_PER_DELETE = 500;

interface LoopOptions {
  db: Db;
  log: Log;
  tracer?: Tracer;
  handlers: readonly JobHandler[];
  /** Housekeeping outside of jobs, once a minute. */
  sweeps?: readonly (() => Promise<void>)[];
  /** A worker sends three heartbeats in this time. Without heartbeats, it is considered dead. */
  leaseMs: number;
  now?: () => Date;
}

/**
 * Maximum parallel tasks when a worker has died on one of them: all, then the square root, then one. This keeps a task
 * that kills its workers from quarantining the tasks running with it.
 */
const maxParallel = (concurrency: number, deaths: number): number =>
  Math.ceil(concurrency ** Math.max(0, 1 - deaths / (MAX_DEATHS - 1)));

interface Running {
  task: ClaimedTask;
  abort: AbortController;
  done: Promise<void>;
}

/**
 * One worker: claims and runs due tasks, sends heartbeats, and takes over the tasks of dead workers. Any number of
 * workers may share a database.
 */
export class JobLoop {
  readonly #options: LoopOptions;
  readonly #now: () => Date;
  readonly #lease: WorkerLease;
  readonly #running = new Map<number, Running>();
  /** Ensures that claimed tasks have started before `watch` looks for stray tasks. */
  readonly #claiming = new Mutex();
  readonly #ending = new AbortController();
  #rounds: Promise<void>[] = [];
  /** Whether a task has ended since the worker last looked for work. If so, it looks again immediately. */
  #hasFreed = false;
  #wake: () => void = () => {};
  #isClosing = false;
  #polling: Promise<void> = Promise.resolve();

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => new Date());
    const isolating = options.handlers.filter(({ isolatesPoison }) => isolatesPoison);
    this.#lease = new WorkerLease({ ...options, unquarantinedKinds: isolating.map(({ kind }) => kind) });
  }

  get workerId(): string {
    return this.#lease.id;
  }

  get workerToken(): string {
    return this.#lease.token;
  }

  /** Starts the worker. Rejects if the database can't be written. */
  async open(): Promise<void> {
    const { leaseMs } = this.#options;
    await this.#lease.join();
    await this.#watch();
    this.#rounds = [
      this.#repeat(beatMs(leaseMs), "a heartbeat failed", () => this.#beat()),
      this.#repeat(leaseMs / 6, "checking on other workers failed", () => this.#watch()),
      this.#repeat(CANCEL_MS, "looking for cancelled jobs failed", () => this.#stopCancelled()),
      this.#repeat(SWEEP_MS, "a sweep failed", () => this.#sweep()),
    ];
    this.#polling = this.#poll();
  }

  /** Stops claiming, waits up to `graceMs` for running tasks, requeues the rest, and leaves. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    this.#free();
    await this.#polling;
    await withTimeout(this.#idle(), graceMs);
    this.#stop([...this.#running.values()], "draining");
    await this.#idle();
    this.#ending.abort();
    // A heartbeat that is still running would find no worker and join as a new one.
    await Promise.all(this.#rounds);
    await this.#lease.leave();
  }

  async #poll(): Promise<void> {
    while (!this.#isClosing) {
      this.#hasFreed = false;
      const mark = this.#options.db.changeMark();
      try {
        if (await this.#claiming.run(() => this.#claim())) continue;
        await this.#pause(mark);
      } catch (error) {
        this.#options.log.error({ err: error }, "looking for work failed");
        await Bun.sleep(PAUSE_MS);
      }
    }
  }

  /** Resolves when a task ends or the database has changed since `mark`, and after a second at the latest. */
  async #pause(mark: number | undefined): Promise<void> {
    const untilMs = performance.now() + (mark === undefined ? POLL_MS : LOOK_MS);
    while (!this.#hasFreed && performance.now() < untilMs && this.#options.db.changeMark() === mark) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = setTimeout(resolve, POLL_MS);
      await promise;
      clearTimeout(timer);
    }
  }

  #free(): void {
    this.#hasFreed = true;
    this.#wake();
  }

  /** Starts due tasks while slots are free. True if any was started. */
  async #claim(): Promise<boolean> {
    const { db, handlers } = this.#options;
    const withRoom = handlers.filter((handler) => this.#runningOf(handler).length < handler.concurrency);
    const kinds = withRoom.map(({ kind }) => kind);
    if (kinds.length === 0 || !(await hasDueTask(db, kinds, this.#now()))) return false;
    let started = 0;
    for (const handler of withRoom) {
      if (await hasDueTask(db, [handler.kind], this.#now())) started += await this.#claimFor(handler);
    }
    return started > 0;
  }

  /** Starts due tasks of one handler. Returns how many. */
  async #claimFor(handler: JobHandler): Promise<number> {
    const { kind, concurrency } = handler;
    const running = this.#runningOf(handler);
    let mostDeaths = Math.max(0, ...running.map(({ task }) => task.deaths));
    const fits = (deaths: number, claimed: number): boolean => {
      mostDeaths = Math.max(mostDeaths, deaths);
      return running.length + claimed < maxParallel(concurrency, mostDeaths);
    };
    const claim = { workerId: this.workerId, kind, limit: concurrency - running.length, fits };
    const claimed = await claimTasks(this.#options.db, claim, this.#now());
    for (const task of claimed) this.#start(handler, task);
    return claimed.length;
  }

  #runningOf({ kind }: JobHandler): Running[] {
    return [...this.#running.values()].filter(({ task }) => task.kind === kind);
  }

  #start(handler: JobHandler, task: ClaimedTask): void {
    const abort = new AbortController();
    const { db, log, tracer } = this.#options;
    const end = async (): Promise<void> => {
      await runTask({ db, log, tracer, now: this.#now }, handler, task, abort.signal);
      this.#running.delete(task.id);
      this.#free();
      if (this.#runningOf(handler).length > 0) return;
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
    return this.#claiming.run(() => this.#lease.watch([...this.#running.keys()]));
  }

  async #beat(): Promise<void> {
    const running = [...this.#running.values()];
    if (!(await this.#lease.renew())) this.#stop(running, "lost");
  }

  async #stopCancelled(): Promise<void> {
    const running = [...this.#running.values()];
    const jobIds = running.map(({ task }) => task.jobId);
    const cancelled = await listCancelled(this.#options.db, jobIds);
    const stopped = running.filter(({ task }) => cancelled.includes(task.jobId));
    this.#stop(stopped, "cancelled");
  }

  async #sweep(): Promise<void> {
    const { db, handlers, sweeps = [] } = this.#options;
    const before = new Date(this.#now().getTime() - KEEP_JOBS_MS);
    await db.write((tx) => deleteEndedJobs(tx, before, MAX_JOBS_PER_DELETE));
    for (const handler of handlers) await handler.sweep?.();
    for (const sweep of sweeps) await sweep();
  }

  /** Repeats the work, `pauseMs` after each run, until the worker closes. */
  async #repeat(pauseMs: number, failure: string, work: () => Promise<unknown>): Promise<void> {
    const { signal } = this.#ending;
    for (;;) {
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      await work().catch((error) => this.#options.log.error({ err: error }, failure));
    }
  }
}
