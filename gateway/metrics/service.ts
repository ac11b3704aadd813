import { Registry } from "prom-client";
import type { Db } from "../../db/client";
import { listKeyNames } from "../../db/keys";
import type { Config } from "../../lib/config";
import type { Log } from "../../lib/log";
import { type ComputeFigures, createRunReader } from "../evals/summary";
import type { GenerationSample, RequestSample } from "../ports/recorder";
import type { Kpis, MetricsQuery } from "./contract";
import { machineCost } from "./cost";
import { countRunningEvals, readCompletedRuns, trendsOf } from "./evaluations";
import { memo } from "./fast-instruments";
import { lookAtNodes, type MetricSources, nodeTotals, registerGauges, slotsOf } from "./gauges";
import { generationInstruments, httpInstruments, retrievalInstruments } from "./instruments";
import { figuresOf, readSteps } from "./kpis";
import { Measurements } from "./measurements";
import { Rollups } from "./rollups";
import { spanOf } from "./span";

/** Unknown methods share a label, because callers could send any number of them. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const bounded = (sample: RequestSample): RequestSample =>
  METHODS.has(sample.method) ? sample : { ...sample, method: "other" };

interface MetricsDeps extends MetricSources {
  db: Db;
  log: Pick<Log, "warn">;
  price: Pick<Config["gateway"], "gpuPricePerHour" | "currency">;
  computeFigures?: ComputeFigures;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** Measures this gateway, and reads the stored measurements of all gateways. */
export const createMetrics = ({ db, log, price, computeFigures, now = Date.now, ...sources }: MetricsDeps) => {
  const readRun = createRunReader(db, computeFigures);
  const registry = new Registry();
  let slots = slotsOf(sources);
  const look = (measured: Measurements): void => {
    slots = slotsOf(sources);
    lookAtNodes(sources, measured);
  };
  const rollups = new Rollups({ db, log, look, now });
  const countRequest = httpInstruments(registry);
  const countGeneration = generationInstruments(registry);
  const countRetrieval = retrievalInstruments(registry);
  registerGauges(registry, sources);
  const routeName = memo((method: string) => memo((route: string) => `${method} ${route}`));

  return {
    /** For `/metrics`. */
    registry,
    request: (given: RequestSample): void => {
      const sample = bounded(given);
      rollups.current().request(routeName(sample.method)(sample.route), sample);
      countRequest(sample);
    },
    generation: (sample: GenerationSample): void => {
      if (slots.answers === 0) slots = slotsOf(sources);
      rollups.current().generation(sample, slots);
      countGeneration(sample);
    },

    retrieval: countRetrieval,

    /** For `/v1/metrics`. Throws invalid_request for an unavailable window or step. */
    async kpis(query: MetricsQuery): Promise<Kpis> {
      const time = now();
      const span = spanOf(query, time);
      const steps = await readSteps(rollups, span);
      const all = new Measurements();
      for (const measured of steps) all.merge(measured);
      const since = await rollups.since();
      const runs = await readCompletedRuns(db, readRun, new Date(span.from));
      const nodes = nodeTotals(sources);
      return {
        from: new Date(span.from).toISOString(),
        to: new Date(time).toISOString(),
        since: new Date(since).toISOString(),
        ...figuresOf(span, steps, all),
        now: {
          queue_depth: nodes.queueDepth,
          slots: { total: nodes.slots, running: nodes.running },
          running_evals: await countRunningEvals(db),
        },
        evaluations: trendsOf(runs),
        cost: machineCost({
          price,
          from: Math.min(time, Math.max(span.from, since)),
          to: time,
          keys: all.keys,
          keyNames: await listKeyNames(db, [...all.keys.keys()]),
          runs,
          slots: nodes.slots,
        }),
      };
    },

    /** Stores the measurements every ten seconds until `close`. */
    open: () => rollups.open(),
    flush: () => rollups.flush(),
    close: () => rollups.close(),
  };
};

export type Metrics = ReturnType<typeof createMetrics>;
