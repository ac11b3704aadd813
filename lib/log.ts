import pino from "pino";
import { loggedError } from "./logged-error";

/** Structured log of one process: a JSON object per line on stderr. Bodies, prompts and keys are never passed to it. */
export type Log = pino.Logger;

/**
 * Creates a log. `level` is one of pino's level names. Lines are written in blocks, so that a request never waits for
 * the disk. Call `log.flush()` before the process exits to write the remaining lines.
 */
export const createLog = (component: "gateway" | "gpu-node" | "jobs", level: string): Log =>
  pino(
    {
      level,
      base: { component },
      timestamp: timeField,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (thrown) => loggedError(thrown) },
    },
    new LineBlocks(pino.destination({ dest: 2, sync: false, minLength: BLOCK_LENGTH, maxWrite: 2 * BLOCK_LENGTH })),
  );

let timedAt = -1;
let time = "";

/** The field with the current time, formatted at most once per millisecond. */
const timeField = (): string => {
  const now = Date.now();
  if (now !== timedAt) {
    timedAt = now;
    time = `,"time":"${new Date(now).toISOString()}"`;
  }
  return time;
};

/**
 * Logs a line whose fields are already JSON: `"status":200,"msg":"request"`. For lines that are logged per request:
 * pino takes three times as long to format a line, and as long again to write it, because it joins so many strings.
 */
export const logFields = (log: Log, level: "debug" | "info", fields: string): void => {
  if (!log.isLevelEnabled(level)) return;
  const { [pino.symbols.streamSym]: stream, [pino.symbols.chindingsSym]: bindings } = log as unknown as Internals;
  stream.write(`{"level":"${level}"${timeField()}${bindings},${fields}}\n`);
};

interface Internals {
  [pino.symbols.streamSym]: { write(line: string): void };
  /** The fields of all lines, as JSON: `,"component":"gateway"`. */
  [pino.symbols.chindingsSym]: string;
}

/** A silent log, for tests and command-line tools. */
export const silentLog = (): Log => pino({ level: "silent" });

interface Sink {
  /** Writes full blocks; a smaller remainder is kept until it is flushed. */
  write(text: string): unknown;
  flush(done?: (error?: Error) => void): void;
  flushSync(): void;
}

const BLOCK_LENGTH = 32_768;
/** A line is written at most this long after it was logged. */
const FLUSH_MS = 1000;

/**
 * Buffers log lines and writes them in blocks of 32 KiB, or once a second. Pino's own destination measures its entire
 * buffer for each line, which took longer than formatting the line. The rest is written when the process exits.
 */
export class LineBlocks {
  #lines = "";
  /** Runs only while lines are buffered, so that an idle process isn't woken up. */
  #timer: Timer | undefined;

  constructor(private readonly sink: Sink) {
    process.once("exit", () => this.flushSync());
  }

  write(line: string): void {
    this.#lines += line;
    if (this.#lines.length >= BLOCK_LENGTH) this.#pass();
    else this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS).unref();
  }

  /** Calls `done` when everything has been written. */
  flush(done?: (error?: Error) => void): void {
    this.#pass();
    this.sink.flush(done);
  }

  /**
   * Pino also calls this after a fatal line. The remaining lines are smaller than a block, so the exit of the process
   * can't cut off an asynchronous write of them.
   */
  flushSync(): void {
    this.#pass();
    this.sink.flushSync();
  }

  #pass(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines === "") return;
    const lines = this.#lines;
    this.#lines = "";
    this.sink.write(lines);
  }
}
