import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { AppError } from "../../../lib/errors";
import type { Environment } from "../../../lib/settings";

export interface ChildSpec {
  /** As people read it: "gateway". */
  name: string;
  /** Its command line. */
  command: string[];
  env: Environment;
  /** Where its log goes; left out: to this process's own output. */
  logFile?: string;
}

export interface SupervisorOptions {
  /** One plain sentence about something unexpected. */
  onEvent: (message: string) => void;
  /** First wait before a restart in milliseconds; doubles up to 30 s, and begins anew after a minute of life. */
  backoffMs?: number;
}

const LONGEST_BACKOFF_MS = 30_000;
const STEADY_MS = 60_000;
const TAIL_LINES = 12;
const LARGEST_LOG_BYTES = 50 * 1024 * 1024;

interface Child {
  spec: ChildSpec;
  process: Bun.Subprocess;
  startedAtMs: number;
  backoffMs: number;
}

/**
 * Runs processes of Groundwire and brings back what dies. Until `keepAlive` is called, a death ends the start: it
 * rejects `failed` with the end of that process's log.
 */
export class Supervisor {
  readonly #children = new Map<string, Child>();
  readonly #timers = new Set<Timer>();
  readonly #options: Required<SupervisorOptions>;
  readonly #failed = Promise.withResolvers<never>();
  #state: "starting" | "running" | "stopping" = "starting";

  constructor(options: SupervisorOptions) {
    this.#options = { backoffMs: 500, ...options };
    this.#failed.promise.catch(() => {});
  }

  /** Never resolves; rejects when a process dies before `keepAlive`. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Does nothing once `stop` was called. */
  start(spec: ChildSpec): void {
    if (this.#state === "stopping") return;
    this.#launch(spec, this.#options.backoffMs);
  }

  /** From now on a process that dies is started again. */
  keepAlive(): void {
    if (this.#state === "starting") this.#state = "running";
  }

  /** Asks every process to finish what it does; after `graceMs` they are killed. Resolves when all have ended. */
  async stop(graceMs: number): Promise<void> {
    this.#state = "stopping";
    for (const timer of this.#timers) clearTimeout(timer);
    const running = [...this.#children.values()];
    for (const { process } of running) process.kill("SIGTERM");
    const deadline = setTimeout(() => this.kill(), graceMs);
    await Promise.all(running.map(({ process }) => process.exited));
    clearTimeout(deadline);
  }

  /** Ends every process at once. */
  kill(): void {
    this.#state = "stopping";
    for (const { process } of this.#children.values()) process.kill("SIGKILL");
  }

  #launch(spec: ChildSpec, backoffMs: number): void {
    const log = spec.logFile === undefined ? undefined : openLog(spec.logFile);
    const output = log ?? "inherit";
    const child = Bun.spawn(spec.command, {
      env: spec.env,
      stdio: ["ignore", output, output],
      // A process group of its own: Ctrl+C reaches it through `stop` alone, once, and not from the terminal as well.
      detached: true,
      onExit: (_, exitCode, signal) => this.#onExit(spec, exitCode, signal),
    });
    if (log !== undefined) closeSync(log);
    this.#children.set(spec.name, { spec, process: child, startedAtMs: performance.now(), backoffMs });
  }

  #onExit(spec: ChildSpec, exitCode: number | null, signal: number | string | null): void {
    const child = this.#children.get(spec.name);
    this.#children.delete(spec.name);
    if (!child || this.#state === "stopping") return;
    const how = exitCode === null ? `was ended by signal ${signal}` : `ended with code ${exitCode}`;
    if (this.#state === "starting") {
      const message = `The ${spec.name} ${how} while it started.${tailOf(spec.logFile)}`;
      this.#failed.reject(new AppError("unavailable", message));
      return;
    }
    const wasSteady = performance.now() - child.startedAtMs > STEADY_MS;
    const waitMs = wasSteady ? this.#options.backoffMs : child.backoffMs;
    this.#options.onEvent(`The ${spec.name} ${how}; it starts again in ${waitMs / 1000} s.`);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#launch(spec, Math.min(waitMs * 2, LONGEST_BACKOFF_MS));
    }, waitMs);
    this.#timers.add(timer);
  }
}

/** Opens a log to append to; one that has grown large becomes `….1` first, in place of the one before. */
const openLog = (path: string): number => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (existsSync(path) && statSync(path).size > LARGEST_LOG_BYTES) renameSync(path, `${path}.1`);
  return openSync(path, "a", 0o600);
};

const tailOf = (logFile: string | undefined): string => {
  if (logFile === undefined) return "";
  const lines = readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-TAIL_LINES);
  return ` Its last words, from ${logFile}:\n${lines.join("\n")}`;
};
