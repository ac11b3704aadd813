import type { AuditEntry } from "../../db/audit";
import { AppError } from "../../lib/errors";
import type { Log } from "../../lib/log";
import type { WorkersState } from "../jobs/service";
import type { Cache } from "../ports/cache";
import type { Engine } from "../ports/engine";
import type { LedgerStore } from "../ports/ledger";
import type { Principal } from "../principal";
import { degradation, ofCache, ofLimits, ofNodes, ofVectors, ofWorkers, type VectorStoreView } from "./causes";
import {
  DEFAULT_DRILL_MINUTES,
  DEGRADATION_CODES,
  type Degradation,
  type DegradationCode,
  type DegradedMode,
  type StartDrill,
} from "./contract";
import { EFFECTS } from "./modes";
import { createPressure } from "./pressure";

/** Effects of a drill besides entering the mode. */
export interface DrillDeps {
  /** Stores who started and ended a drill. */
  audit(entry: AuditEntry): Promise<unknown>;
  /** Called when the drill of a mode starts and ends, for modes that other parts don't look up in `isDrill`. */
  effects: Partial<Record<DegradationCode, (isOn: boolean) => void>>;
  /** Why a drill would change nothing; undefined if it has an effect. */
  noEffectReason?(code: DegradationCode): string | undefined;
}

interface DegradationDeps {
  engine: Pick<Engine, "nodes">;
  cache: Pick<Cache, "stats">;
  workers: () => Promise<WorkersState>;
  vectors?: VectorStoreView;
  limits: Pick<LedgerStore, "state">;
  drills?: DrillDeps;
  log: Pick<Log, "warn"> & Partial<Pick<Log, "info">>;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** The current degradations: the value of `x-degraded`, and the notices for pages. */
interface Reduced {
  header: string;
  codes: readonly DegradationCode[];
  notices: readonly Degradation[];
}

interface Drill {
  since: number;
  endsAt: number;
}

const REFRESH_MS = 1000;
const MINUTE_MS = 60_000;
const EVALS_RETRY_MS = 2000;
const NO_CODES: readonly DegradationCode[] = Object.freeze([]);

/**
 * The degraded modes. A mode is active while it has a real cause (the state of a dependency, or a report of another
 * service) or while an admin runs a drill of it. All of this is cheap enough to read for every request.
 */
export const createDegradations = ({
  engine,
  cache,
  workers,
  vectors,
  limits,
  drills: drilling,
  log,
  now = Date.now,
}: DegradationDeps) => {
  const startedAt = new Date(now());
  const ofPressure = createPressure(now);
  let causes: readonly Degradation[] = [];
  const reports = new Map<DegradationCode, { degradation: Degradation; until: number }>();
  const drills = new Map<DegradationCode, Drill>();
  let reduced: Reduced | undefined;
  let active: ReadonlySet<DegradationCode> = new Set();
  let timer: Timer | undefined;

  const expire = (): void => {
    for (const [code, { until }] of reports) if (until <= now()) reports.delete(code);
    for (const [code, { endsAt }] of drills) if (endsAt <= now()) stop(code, "its time limit was reached");
  };

  /** Computes the current list. If a mode has a drill and a real cause, the reason is the real one. */
  const publish = (): void => {
    expire();
    const known = new Map<DegradationCode, Degradation>();
    for (const [code, { since }] of drills)
      known.set(code, degradation(code, new Date(since), `Drill: ${EFFECTS[code]}`));
    for (const [code, report] of reports) known.set(code, report.degradation);
    for (const cause of causes) known.set(cause.code, cause);
    for (const [code, notice] of known) known.set(code, { ...notice, drill: drills.has(code) });
    const notices = DEGRADATION_CODES.map((code) => known.get(code)).filter((notice) => notice !== undefined);
    const codes = notices.map(({ code }) => code);
    for (const notice of notices) {
      const { code, reason, drill } = notice;
      if (!active.has(code)) log.warn({ code, reason, drill }, "degraded mode entered");
    }
    for (const code of active) if (!known.has(code)) log.info?.({ code }, "degraded mode left");
    active = new Set(codes);
    reduced = codes.length > 0 ? { header: codes.join(", "), codes, notices } : undefined;
  };

  /** Checks now, and returns the new list. */
  const refresh = async (): Promise<readonly Degradation[]> => {
    const [caches, worker] = await Promise.all([cache.stats(), workers()]);
    const nodes = engine.nodes();
    causes = [
      ...ofNodes(nodes),
      ...ofCache(caches),
      ...ofWorkers(worker, startedAt),
      ...ofVectors(vectors?.state()),
      ...ofLimits(limits.state()),
      ...ofPressure(nodes),
    ];
    publish();
    return reduced?.notices ?? [];
  };

  /** Checks in the background. If a check fails, the last known state is kept. */
  const look = (): void => {
    refresh().catch((error) => log.warn({ err: error }, "could not check for degradations"));
  };

  const stop = (code: DegradationCode, why: string): void => {
    if (!drills.delete(code)) return;
    drilling?.effects[code]?.(false);
    log.info?.({ code, why }, "drill ended");
  };

  const modeOf = (code: DegradationCode): DegradedMode => {
    const notice = reduced?.notices.find((each) => each.code === code);
    const drill = drills.get(code);
    return {
      code,
      effect: EFFECTS[code],
      active: notice !== undefined,
      since: notice?.since ?? null,
      reason: notice?.reason ?? null,
      causes: notice?.causes ?? [],
      drill: drill !== undefined,
      drill_ends_at: drill ? new Date(drill.endsAt).toISOString() : null,
      drill_note: drilling?.noEffectReason?.(code) ?? null,
    };
  };

  const note = (principal: Principal, action: string, code: DegradationCode, detail: Record<string, unknown>) =>
    drilling?.audit({ at: new Date(now()), actor: principal, action, target: `degraded:${code}`, detail });

  return {
    list: (): readonly Degradation[] => reduced?.notices ?? [],
    /** undefined while nothing is reduced. */
    reduced: () => reduced,
    codes: (): readonly DegradationCode[] => reduced?.codes ?? NO_CODES,
    /** Whether the mode is active, for a real cause or as a drill. */
    has: (code: DegradationCode): boolean => active.has(code),
    isDrill: (code: DegradationCode): boolean => drills.has(code),
    refresh,

    /**
     * Enters a mode whose cause another service watches, and leaves it if `reason` is undefined or after `forMs`. A
     * repeated report keeps the time of the first one.
     */
    report(code: DegradationCode, reason: string | undefined, forMs = Number.POSITIVE_INFINITY): void {
      const before = reports.get(code);
      if (reason === undefined) reports.delete(code);
      else {
        const since = before ? new Date(before.degradation.since) : new Date(now());
        reports.set(code, { degradation: degradation(code, since, reason), until: now() + forMs });
      }
      if (before?.degradation.reason !== reason) publish();
    },

    modes: (): DegradedMode[] => DEGRADATION_CODES.map(modeOf),

    /** Starts a drill, or changes the end of a running one. It applies to this gateway process. */
    async startDrill(principal: Principal, code: DegradationCode, { minutes }: StartDrill): Promise<DegradedMode> {
      const endsAt = now() + (minutes ?? DEFAULT_DRILL_MINUTES) * MINUTE_MS;
      await note(principal, "drill.start", code, { endsAt: new Date(endsAt).toISOString() });
      const isNew = !drills.has(code);
      drills.set(code, { since: drills.get(code)?.since ?? now(), endsAt });
      log.warn({ code, endsAt: new Date(endsAt), keyId: principal.keyId }, "drill started");
      if (isNew) drilling?.effects[code]?.(true);
      publish();
      return modeOf(code);
    },

    /** Ends a drill; does nothing if none is running. A mode with a real cause stays active. */
    async endDrill(principal: Principal, code: DegradationCode): Promise<DegradedMode> {
      if (drills.has(code)) {
        stop(code, "an admin ended it");
        publish();
        await note(principal, "drill.end", code, {});
      }
      return modeOf(code);
    },

    /** Checks every second until `close`. */
    open() {
      timer ??= setInterval(look, REFRESH_MS).unref();
      look();
    },
    close: () => clearInterval(timer),
  };
};

/** The error of an evaluation during `no_evals`. The tasks of a run wait and continue later. */
export const evaluationsOff = (): AppError =>
  new AppError(
    "unavailable",
    "Evaluations are paused (no_evals). Runs wait and continue automatically; retry a single evaluation later.",
    { retryAfterMs: EVALS_RETRY_MS, details: [{ path: "degraded", message: "no_evals" }] },
  );

export type Degradations = ReturnType<typeof createDegradations>;
