import pino from "pino";
import { BLOCK_LENGTH, LineBlocks } from "./line-blocks";

/** Structured log of one process: a JSON object per line on stderr. Bodies, prompts and keys are never passed to it. */
export type Log = pino.Logger;

/**
 * `level` is one of pino's names. Lines are written in blocks, so that a request never waits for the disk;
 * `log.flush()` writes what is left and is called before the process ends.
 */
export const createLog = (component: "gateway" | "gpu-node" | "jobs", level: string): Log =>
  pino(
    {
      level,
      base: { component },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    new LineBlocks(pino.destination({ dest: 2, sync: false, minLength: BLOCK_LENGTH, maxWrite: 2 * BLOCK_LENGTH })),
  );

/** For tests and command-line tools, where nobody reads the log. */
export const silentLog = (): Log => pino({ level: "silent" });
