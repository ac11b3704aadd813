import { Counter, type Registry } from "prom-client";
import type { RequestSample } from "../ports/recorder";
import { errorKindOf, FAULT_DOMAINS, faultDomainOf, isFailure } from "./fault-domain";
import { memo } from "./memo";
import { DURATION_SECONDS, FastHistogram } from "./prometheus";

/** Requests, their time and their errors by route pattern, for Prometheus. */
export const httpInstruments = (registry: Registry) => {
  const registers = [registry];
  const requests = new Counter({
    name: "groundwire_http_requests_total",
    help: "Answered requests by route pattern; unmatched: no route has that path and method",
    labelNames: ["method", "route", "status"],
    registers,
  });
  const errors = new Counter({
    name: "groundwire_http_errors_total",
    help: "Answers with a status of 400 or more by whose fault they were; unclassified has to stay 0",
    labelNames: ["domain", "code", "route"],
    registers,
  });
  const durations = new FastHistogram({
    name: "groundwire_http_request_duration_seconds",
    help: "From arrival to the last byte of the answer",
    labelNames: ["method", "route"],
    buckets: DURATION_SECONDS,
    registers,
  });
  // A domain without an error is still there to be watched.
  for (const domain of FAULT_DOMAINS) errors.inc({ domain, code: "", route: "" }, 0);

  const instrumentsOf = memo((method: string) =>
    memo((route: string) => ({
      observe: durations.series({ method, route }),
      status: memo((status: number) => requests.labels(method, route, String(status))),
      error: memo((kind: RequestSample["errorKind"]) => errors.labels(faultDomainOf(kind), kind ?? "", route)),
    })),
  );
  return (sample: RequestSample): void => {
    const instruments = instrumentsOf(sample.method)(sample.route);
    instruments.observe(sample.durationMs / 1000);
    instruments.status(sample.status).inc();
    if (isFailure(sample)) instruments.error(errorKindOf(sample)).inc();
  };
};
