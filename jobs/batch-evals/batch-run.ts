import {
  endResults,
  findRunOfJob,
  listSuspects,
  type ResultTask,
  recordDeaths,
  resetErrors,
  returnResults,
  startResult,
  updateBatchRun,
} from "../../db/batch-evals";
import type { Db, Tx } from "../../db/client";
import type { ClaimedTask } from "../../db/jobs";
import { insertScoreRows } from "../../db/results";
import { findRun, type RunRow, storeFigures } from "../../db/runs";
import type { BatchSettings } from "../../gateway/batch-evals/contract";
import type { RunFigures, RunPins } from "../../gateway/evals/contract";
import { countsOf, FIGURES_VERSION } from "../../gateway/evals/summary";
import { toEnvelope } from "../../lib/errors";
import type { Log } from "../../lib/log";
import type { TaskContext } from "../handler";
import type { CallLimiter } from "./call-limiter";
import { Counts } from "./counts";
import { InFlight } from "./in-flight";
import type { ModelCalls } from "./model-calls";
import { PartialFigures } from "./partial-figures";
import { failedOutcome, type Outcome } from "./run-sample";
import { RunTransactions } from "./run-transactions";
import type { SampleSource } from "./sample-source";
import { checkErrorShare, maxDeathsOf, Paused, pinRevision, poison, RunStopped, Superseded } from "./stops";

/** Shortest time between two transactions, so that quick samples share one. */
const MIN_EXCHANGE_MS = 50;
/** Longest time between two transactions. */
const MAX_EXCHANGE_MS = 2000;
/** How often the run's state is read, and how long the loop waits at most. */
const WATCH_MS = 250;
const MAX_RESET_ERRORS = 1000;

export interface BatchRunDeps {
  db: Db;
  log: Pick<Log, "info" | "warn">;
  context: TaskContext;
  run: RunRow;
  jobId: string;
  task: Pick<ClaimedTask, "deaths" | "leaseEpoch">;
  /** Errors with this `sequence` or a lower one are retried. */
  retryUpTo: number;
  source: SampleSource;
  limiter: Pick<CallLimiter, "limit">;
  calls: Pick<ModelCalls, "waiting">;
  runSample: ConstructorParameters<typeof InFlight>[0];
  computeFigures(runId: string): Promise<RunFigures>;
  now(): Date;
}

/**
 * Runs the samples of a batch run in this worker. Ended samples with their scores, the run's counts and the next samples
 * share a transaction, which is fenced by the job's task and by the run's current job.
 */
export class BatchRun {
  readonly #flying: InFlight;
  readonly #counts: Counts;
  readonly #partial: PartialFigures;
  readonly #transactions: RunTransactions;
  #exchangedMs = performance.now();
  /** Number of samples that ended between the last two transactions, and in this worker overall. */
  #lastEnded = 0;
  #ended = 0;
  #suspects: { id: string; deaths: number }[] = [];
  /** Whether no pending result is left and no other can be created. */
  #isExhausted = false;

  constructor(private readonly deps: BatchRunDeps) {
    this.#flying = new InFlight(deps.runSample);
    this.#counts = new Counts(deps.run.progress);
    this.#partial = new PartialFigures(deps.db, deps.run.id, deps.computeFigures);
    this.#transactions = new RunTransactions({
      ...{ context: deps.context, runId: deps.run.id, jobId: deps.jobId, counts: this.#counts, log: deps.log },
      isStopping: () => this.#flying.reason !== undefined,
    });
  }

  /** Returns when the job has ended. Throws TaskLost, and the reason of the task's signal. */
  async run(): Promise<void> {
    const startedMs = performance.now();
    const { signal } = this.deps.context;
    const leave = () => this.#flying.stop(signal.reason);
    signal.addEventListener("abort", leave);
    if (signal.aborted) leave();
    const watching = setInterval(() => void this.#watch().catch(() => undefined), WATCH_MS);
    try {
      await this.#begin();
      await this.#runSuspects(1);
      await this.#forgetDeaths();
      await this.#runAll();
      await this.#runSuspects();
      // The run's figures are computed from the stored results.
      if (this.#flying.ended.length > 0) await this.#exchange(async () => []);
    } catch (thrown) {
      this.#flying.stop(thrown);
    } finally {
      clearInterval(watching);
      signal.removeEventListener("abort", leave);
      await this.#flying.settled();
    }
    const { reason } = this.#flying;
    const isOver = reason === undefined || reason instanceof Superseded || reason instanceof RunStopped;
    if (isOver) await this.#finish();
    // The next worker continues: ended samples are stored, and the others are pending.
    else await this.#transactions.run((tx) => this.#return(tx)).catch(() => undefined);
    this.#logTimes(performance.now() - startedMs);
    if (!isOver) throw reason;
  }

  /** Logs how the run spent its time in this worker. The rest was the model's, unless the worker was short of CPU. */
  #logTimes(tookMs: number): void {
    const { run, log } = this.deps;
    const times = { tookMs, databaseMs: this.#transactions.takenMs, scoringMs: this.#flying.scoringMs };
    const rounded = Object.fromEntries(Object.entries(times).map(([name, ms]) => [name, Math.round(ms)]));
    log.info({ run: run.id, ended: this.#ended, ...rounded }, "a batch run ended in this worker");
  }

  /** Takes over the run. Results that another worker left behind are pending again. */
  async #begin(): Promise<void> {
    const { run, task, retryUpTo, source, now } = this.deps;
    await source.open();
    await this.#transactions.run(async (tx, row) => {
      if (row.state !== "queued" && row.state !== "running") throw new Superseded();
      if (task.deaths > 0) this.#counts.die(await recordDeaths(tx, run.id));
      await returnResults(tx, run.id);
      this.#suspects = await listSuspects(tx, run.id);
      this.#counts.begin(source.results);
      const started = { startedAt: row.startedAt ?? now(), error: null, endedAt: null };
      await updateBatchRun(tx, run.id, { state: "running", ...started, progress: this.#counts.progress });
    });
    for (let isMore = retryUpTo > 0; isMore; ) {
      isMore = await this.#transactions.run(async (tx) => {
        const failures = await resetErrors(tx, run.id, { sequence: retryUpTo, limit: MAX_RESET_ERRORS });
        this.#counts.retry(failures);
        await updateBatchRun(tx, run.id, { progress: this.#counts.progress });
        return failures.length === MAX_RESET_ERRORS;
      });
    }
  }

  /**
   * Runs the samples on which up to `maxDeaths` workers have died, one at a time, so that only the culprit is quarantined.
   * Samples that were running alone when a worker died run last: they can't hold up the others, and random kills rarely
   * hit them again.
   */
  async #runSuspects(maxDeaths = Number.POSITIVE_INFINITY): Promise<void> {
    const suspects = this.#suspects.filter(({ deaths }) => deaths <= maxDeaths);
    for (const { id, deaths } of suspects) {
      if (this.#flying.isPaused) return;
      this.#flying.throwIfStopped();
      const [task] = await this.#exchange((tx) => startResult(tx, id));
      if (!task) continue;
      if (deaths < maxDeathsOf(this.#counts.progress)) this.#flying.start(task);
      else this.#flying.ended.push(failedOutcome(task, poison(deaths - 1), task.attempts, this.deps.now()));
      await this.#flying.settled();
    }
    this.#suspects = this.#suspects.filter(({ deaths }) => deaths > maxDeaths);
  }

  /** Until this, the loop runs few other tasks beside this one, because a sample of theirs could be blamed. */
  async #forgetDeaths(): Promise<void> {
    const { context, task } = this.deps;
    // Each claim has a higher epoch, so earlier deaths no longer count even if no sample has ended since.
    if (task.deaths > 0 && !this.#flying.isPaused) await context.progress({}, task.leaseEpoch);
  }

  async #runAll(): Promise<void> {
    const { limiter, run } = this.deps;
    for (;;) {
      this.#flying.throwIfStopped();
      const room = this.#flying.isPaused ? 0 : this.#flying.room(limiter.limit, this.#lastEnded);
      if (this.#mustExchange(room)) {
        for (const task of await this.#exchange((tx) => this.#take(tx, room))) this.#flying.start(task);
      }
      if (this.#flying.isEmpty && (this.#flying.isPaused || this.#isExhausted)) return;
      checkErrorShare(run.settings as BatchSettings | null, this.#counts.progress);
      // Without running samples, the search for the next one continues immediately.
      if (!this.#flying.isEmpty || this.#flying.isPaused) await this.#flying.change(WATCH_MS);
      const dueMs = this.#exchangedMs + MIN_EXCHANGE_MS - performance.now();
      if (dueMs > 0) await Bun.sleep(dueMs);
    }
  }

  /** Whether a transaction has something to do. The counts are also stored from time to time, for the running time. */
  #mustExchange(room: number): boolean {
    if (this.#flying.ended.length > 0 || this.#partial.isComputed) return true;
    return (room > 0 && !this.#isExhausted) || performance.now() - this.#exchangedMs >= MAX_EXCHANGE_MS;
  }

  /** Stores ended samples and claims the next ones, in one transaction. The caller starts them. */
  async #exchange(take: (tx: Tx) => Promise<ResultTask[]>): Promise<ResultTask[]> {
    const { run } = this.deps;
    const ended = this.#flying.takeEnded();
    const nowMs = performance.now();
    try {
      const taken = await this.#transactions.run(async (tx, row) => {
        await this.#store(tx, ended);
        const tasks = row.state === "running" ? await take(tx) : [];
        this.#counts.start(tasks.length);
        this.#counts.tick(nowMs - this.#exchangedMs);
        this.#counts.wait(this.deps.calls.waiting, this.deps.now());
        await this.#partial.store(tx);
        await updateBatchRun(tx, run.id, { progress: this.#counts.progress, ...this.#pinsOf(row, ended) });
        return tasks;
      });
      this.#exchangedMs = nowMs;
      this.#lastEnded = ended.length;
      this.#ended += ended.length;
      this.#partial.refresh();
      return taken;
    } catch (error) {
      this.#flying.ended.unshift(...ended);
      throw error;
    }
  }

  async #store(tx: Tx, ended: readonly Outcome[]): Promise<void> {
    await endResults(
      tx,
      ended.map((outcome) => this.#counts.end(outcome)),
    );
    await insertScoreRows(
      tx,
      ended.flatMap(({ scores }) => scores),
    );
  }

  async #take(tx: Tx, room: number): Promise<ResultTask[]> {
    if (room === 0) return [];
    const { run, source, now } = this.deps;
    const exceptIds = this.#suspects.map(({ id }) => id);
    const { tasks, isExhausted } = await source.take(tx, this.#counts, { runId: run.id, room, exceptIds, now: now() });
    this.#isExhausted = isExhausted;
    return tasks;
  }

  /** The model's revision, once the first answer shows it. A run must not mix revisions. */
  #pinsOf(row: RunRow, ended: readonly Outcome[]): { pins?: RunRow["pins"] } {
    const { pins, stop } = pinRevision(row.pins as unknown as RunPins, ended);
    if (stop) this.#flying.stop(stop);
    return pins ? { pins: { ...pins } } : {};
  }

  /** Notices that the run was paused, cancelled or resumed elsewhere. */
  async #watch(): Promise<void> {
    const { db, run, jobId } = this.deps;
    const row = await findRun(db, run.id);
    if (row?.jobId !== jobId || row.state === "cancelled" || row.state === "failed")
      this.#flying.stop(new Superseded());
    else if (row.state === "paused") this.#flying.pause(new Paused());
  }

  async #return(tx: Tx): Promise<void> {
    await this.#store(tx, this.#flying.takeEnded());
    await returnResults(tx, this.deps.run.id);
    this.#counts.stop();
    await updateBatchRun(tx, this.deps.run.id, { progress: this.#counts.progress });
  }

  /** Ends the job, and the run if it is done or has failed. */
  async #finish(): Promise<void> {
    const { db, context, run, jobId, computeFigures, now } = this.deps;
    const { reason } = this.#flying;
    const isDone = reason === undefined && this.#isExhausted;
    const before = isDone ? await findRun(db, run.id) : undefined;
    const figures = before && (await computeFigures(run.id).catch(() => undefined));
    await context.finish(async (tx) => {
      const row = await findRunOfJob(tx, run.id, jobId);
      if (!row) return {};
      this.#counts.load(row.progress);
      await this.#return(tx);
      const { progress } = this.#counts;
      if (row.state !== "running") return { ...progress };
      if (reason instanceof RunStopped) {
        const error = { ...toEnvelope(reason.error, run.id).error };
        await updateBatchRun(tx, run.id, { state: "failed", error, endedAt: now() });
      } else if (isDone) {
        await updateBatchRun(tx, run.id, { state: "completed", endedAt: now() });
        const latest = await findRun(tx, run.id);
        if (figures && latest && row.changes === before.changes) {
          const value = { ...figures, ...countsOf(latest, progress) };
          await storeFigures(tx, run.id, { version: FIGURES_VERSION, changes: latest.changes, value });
        }
      }
      return { ...progress };
    });
  }
}
