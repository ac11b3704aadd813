import type { Config } from "../config";
import type { Log } from "../log";
import { collectorOf } from "./collector";
import type { Tracer } from "./tracer";

/**
 * The tracer of a process; undefined if no endpoint is set or tracing is disabled. The OpenTelemetry packages are only
 * loaded if there is one.
 */
export const openTracer = async (
  component: "gateway" | "gpu-node" | "jobs",
  { tracing }: Pick<Config, "tracing">,
  log: Pick<Log, "warn" | "info">,
): Promise<Tracer | undefined> => {
  const collector = collectorOf(tracing);
  if (!collector) return undefined;
  const { createTracer } = await import("./otlp-tracer");
  return createTracer({ component, collector, tracing, log });
};
