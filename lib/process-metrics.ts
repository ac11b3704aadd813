import { readdirSync } from "node:fs";
import { Counter, Gauge, type Registry } from "prom-client";
import packageJson from "../package.json" with { type: "json" };

/**
 * Registers the metrics of this process, with the names that Prometheus clients conventionally use. prom-client's default
 * metrics are not collected: their event loop and heap figures are wrong on Bun 1.4.5.
 */
export const registerProcessMetrics = (registry: Registry): void => {
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number | undefined) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        const value = read();
        if (value !== undefined) this.set(value);
      },
    });
  new Counter({
    name: "process_cpu_seconds_total",
    help: "CPU time of this process",
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  gauge("process_resident_memory_bytes", "Memory of this process", () => process.memoryUsage.rss());
  const startedAt = Math.round(performance.timeOrigin / 1000);
  gauge("process_start_time_seconds", "Start of this process, in seconds since 1970", () => startedAt);
  gauge("process_open_fds", "Open files and sockets of this process; 0 if the system doesn't report them", openFiles);
  new Gauge({
    name: "groundwire_build_info",
    help: "1, with the version of this process",
    labelNames: ["version"],
    registers,
  }).set({ version: packageJson.version }, 1);
};

/** Linux lists them in a folder; elsewhere there is none. */
const openFiles = (): number | undefined => {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return undefined;
  }
};
