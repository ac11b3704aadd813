import { Registry } from "prom-client";
import type { GenerationSample, RequestSample } from "../ports/recorder";
import type { Kpis, MetricsQuery } from "./contract";
import { type MetricSources, nodeTotals, registerGauges } from "./gauges";
import { generationInstruments, httpInstruments, memo } from "./instruments";
import { readKpis } from "./kpis";
import { Window } from "./window";

/** Unknown methods share a label, because callers could send any number of them. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const bounded = (sample: RequestSample): RequestSample =>
  METHODS.has(sample.method) ? sample : { ...sample, method: "other" };

/** All measurements of this gateway since its start. `now`: milliseconds since 1970. */
export const createMetrics = (sources: MetricSources & { now?: () => number }) => {
  const { now = Date.now } = sources;
  const registry = new Registry();
  const window = new Window();
  const countRequest = httpInstruments(registry);
  const countGeneration = generationInstruments(registry);
  registerGauges(registry, sources);
  const routeName = memo((method: string) => memo((route: string) => `${method} ${route}`));

  return {
    /** For `/metrics`. */
    registry,
    request: (given: RequestSample): void => {
      const sample = bounded(given);
      window.at(now()).request(routeName(sample.method)(sample.route), sample);
      countRequest(sample);
    },
    generation: (sample: GenerationSample): void => {
      window.at(now()).generation(sample);
      countGeneration(sample);
    },
    /** For `/v1/metrics`. Throws invalid_request for an unavailable window or step. */
    kpis: (query: MetricsQuery): Kpis => readKpis(window, query, nodeTotals(sources), now()),
  };
};

export type Metrics = ReturnType<typeof createMetrics>;
