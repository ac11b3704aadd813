import { heapStats } from "bun:jsc";
import { writeFileSync } from "node:fs";

/**
 * Preloaded into a process under test (`BUN_OPTIONS="--preload …"`): on SIGUSR2, collects garbage and writes what is left to
 * `heap-<pid>.json` in the working directory.
 */
export interface HeapReport {
  heapBytes: number;
  objects: number;
  /** Number of objects by type. Each event listener keeps a `Function`. */
  types: Record<string, number>;
}

if (Bun.isMainThread) {
  process.on("SIGUSR2", () => {
    Bun.gc(true);
    const { heapSize: heapBytes, objectCount: objects, objectTypeCounts: types } = heapStats();
    const report: HeapReport = { heapBytes, objects, types };
    writeFileSync(`heap-${process.pid}.json`, JSON.stringify(report));
  });
}
