import type { Db } from "../../db/client";
import {
  deleteRollups,
  findOldestRollups,
  listRollups,
  putRollups,
  type Resolution,
  type RollupRow,
} from "../../db/rollups";
import type { Log } from "../../lib/log";
import { addStored, Measurements, type StoredMeasurements, toStored } from "./measurements";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Length of the periods of each resolution, and how long they are kept. Days begin at midnight UTC. */
export const PERIODS: Readonly<Record<Resolution, { lengthMs: number; keptMs: number }>> = {
  minute: { lengthMs: MINUTE_MS, keptMs: 2 * DAY_MS },
  hour: { lengthMs: HOUR_MS, keptMs: 62 * DAY_MS },
  day: { lengthMs: DAY_MS, keptMs: 400 * DAY_MS },
};
const RESOLUTIONS = ["minute", "hour", "day"] as const;

/** A crash loses at most this much traffic. */
const FLUSH_MS = 10_000;
/** Unwritten periods kept in memory while the database can't be written: about a day of minutes. */
const MAX_UNWRITTEN = 1500;
/** Periods per read, so that parsing them doesn't block other requests. */
const PERIODS_PER_READ = 120;

interface Period {
  resolution: Resolution;
  at: number;
  measured: Measurements;
}

const startOf = (resolution: Resolution, time: number): number => {
  const { lengthMs } = PERIODS[resolution];
  return Math.floor(time / lengthMs) * lengthMs;
};

const keyOf = ({ resolution, at }: Pick<Period, "resolution" | "at">): string => `${resolution} ${at}`;

/** A counter that changes with every request and generation. */
const activityOf = ({ routes, stages }: Measurements): number =>
  routes.values().reduce((sum, { requests }) => sum + requests, stages.ttft.count);

interface RollupsDeps {
  db: Db;
  log: Pick<Log, "warn">;
  /** Records the state of the nodes; called before every write. */
  look: (measured: Measurements) => void;
  now: () => number;
}

/**
 * Collects measurements per minute in memory, and writes them to the database every ten seconds, together with the
 * totals of the current hour and day. Every process writes its own rows, so several gateways add up without counting
 * anything twice.
 */
export class Rollups {
  readonly #source = crypto.randomUUID();
  #unwritten = new Map<string, Period>();
  /** Periods of the write in progress. */
  #writing: ReadonlyMap<string, Period> = new Map();
  #current: Period;
  /** Totals of the finished minutes of the current hour and day. */
  #sums: Period[] = [];
  #writtenActivity = 0;
  #cleanedAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #flushing = Promise.resolve();

  constructor(private readonly deps: RollupsDeps) {
    this.#current = { resolution: "minute", at: startOf("minute", deps.now()), measured: new Measurements() };
  }

  /** The measurements of the current minute. */
  current(): Measurements {
    const at = startOf("minute", this.deps.now());
    if (at !== this.#current.at) {
      this.#finish(this.#current);
      this.#current = { resolution: "minute", at, measured: new Measurements() };
      this.#writtenActivity = 0;
    }
    return this.#current.measured;
  }

  /**
   * Adds all periods from `from` up to `to` (exclusive) to the measurements that `into` returns for the start of a
   * period. Includes those of every gateway in the database, and this gateway's newest ones, which may not be written
   * yet.
   */
  async read(
    { resolution, from, to }: { resolution: Resolution; from: number; to: number },
    into: (at: number) => Measurements,
  ): Promise<void> {
    this.current();
    const newest = new Map(this.#newest().map((period) => [keyOf(period), period]));
    const sliceMs = PERIODS_PER_READ * PERIODS[resolution].lengthMs;
    for (let start = from; start < to; start += sliceMs) {
      for (const row of await listRollups(this.deps.db, resolution, start, Math.min(to, start + sliceMs))) {
        if (row.source === this.#source && newest.has(keyOf(row))) continue;
        addStored(into(row.at), row.measured as unknown as StoredMeasurements);
      }
    }
    for (const { measured, ...period } of newest.values()) {
      if (period.resolution === resolution && period.at >= from && period.at < to) into(period.at).merge(measured);
    }
  }

  /**
   * Start of the stored measurements, in milliseconds since 1970. Exact to the minute for two days, then to the hour
   * and to the day.
   */
  async since(): Promise<number> {
    const oldest = new Map((await findOldestRollups(this.deps.db)).map(({ resolution, at }) => [resolution, at]));
    let since = oldest.get("day") ?? this.#current.at;
    for (const [finer, coarser] of [
      ["hour", "day"],
      ["minute", "hour"],
    ] as const) {
      const at = oldest.get(finer);
      if (at !== undefined && at >= since && at < since + PERIODS[coarser].lengthMs) since = at;
    }
    return since;
  }

  /** Writes every ten seconds until `close`. */
  open(): void {
    this.#timer ??= setInterval(() => this.#tick(), FLUSH_MS).unref();
  }

  /** Writes everything that has not been written yet. Throws what `Db.write` throws; the next call tries again. */
  flush(): Promise<void> {
    const next = this.#flushing.then(() => this.#write());
    this.#flushing = next.catch(() => {});
    return next;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush().catch((error) => this.deps.log.warn({ err: error }, "the last metrics could not be stored"));
  }

  #tick(): void {
    this.deps.look(this.current());
    const isChanged = this.#unwritten.size > 0 || activityOf(this.#current.measured) !== this.#writtenActivity;
    if (!isChanged) return;
    this.flush().catch((error) => this.deps.log.warn({ err: error }, "metrics could not be stored, will be retried"));
  }

  /** Adds a finished minute to its hour and day. */
  #finish(minute: Period): void {
    this.#keep(minute);
    for (const resolution of ["hour", "day"] as const) {
      const at = startOf(resolution, minute.at);
      let sum = this.#sums.find((period) => period.resolution === resolution);
      if (sum?.at !== at) {
        this.#sums = this.#sums.filter((period) => period !== sum);
        sum = { resolution, at, measured: new Measurements() };
        this.#sums.push(sum);
      }
      sum.measured.merge(minute.measured);
      this.#keep(sum);
    }
  }

  #keep(period: Period): void {
    this.#unwritten.set(keyOf(period), period);
    if (this.#unwritten.size <= MAX_UNWRITTEN) return;
    const oldest = this.#unwritten.values().find(({ resolution }) => resolution === "minute");
    if (oldest) this.#unwritten.delete(keyOf(oldest));
  }

  /** This gateway's periods that may differ from the database: the unwritten ones, and the current ones. */
  #newest(): Period[] {
    const newest = new Map([...this.#writing, ...this.#unwritten]);
    for (const resolution of RESOLUTIONS) {
      const at = startOf(resolution, this.#current.at);
      const measured = new Measurements();
      const sum = this.#sums.find((period) => period.resolution === resolution && period.at === at);
      if (sum) measured.merge(sum.measured);
      measured.merge(this.#current.measured);
      const period = { resolution, at, measured };
      newest.set(keyOf(period), period);
    }
    return [...newest.values()];
  }

  async #write(): Promise<void> {
    const { db, now } = this.deps;
    const measured = this.current();
    const activity = activityOf(measured);
    const rows = this.#newest().map(
      (period): RollupRow => ({
        resolution: period.resolution,
        at: period.at,
        source: this.#source,
        measured: { ...toStored(period.measured) },
      }),
    );
    this.#writing = this.#unwritten;
    this.#unwritten = new Map();
    const isCleaning = now() - this.#cleanedAt >= HOUR_MS;
    try {
      await db.write(async (tx) => {
        await putRollups(tx, rows);
        if (!isCleaning) return;
        for (const resolution of RESOLUTIONS) await deleteRollups(tx, resolution, now() - PERIODS[resolution].keptMs);
      });
    } catch (error) {
      this.#unwritten = new Map([...this.#writing, ...this.#unwritten]);
      throw error;
    } finally {
      this.#writing = new Map();
    }
    if (isCleaning) this.#cleanedAt = now();
    if (measured === this.#current.measured) this.#writtenActivity = activity;
  }
}
