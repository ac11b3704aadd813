import { closeSync, existsSync, fstatSync, openSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../../../lib/errors";
import type { Environment } from "../../../lib/settings";

interface ChildSpec {
  /** Its name in messages: "gateway". */
  name: string;
  command: string[];
  env: Environment;
  /** Its output is appended to this file. The folder must exist. */
  logFile: string;
}

interface SupervisorOptions {
  /** Called with one sentence for each unexpected event. */
  onEvent: (message: string) => void;
  /**
   * Milliseconds before the first restart. Doubles with each restart, up to 30 s, and is reset after a minute of
   * uptime.
   */
  backoffMs?: number;
}

const MAX_BACKOFF_MS = 30_000;
const STEADY_MS = 60_000;
const TAIL_LINES = 12;
const TAIL_BYTES = 16 * 1024;
const MAX_LOG_BYTES = 50 * 1024 * 1024;

interface Child {
  spec: ChildSpec;
  process: Bun.Subprocess;
  startedAtMs: number;
  /** The log's length before the process started. */
  logStart: number;
  backoffMs: number;
}

/**
 * Runs Groundwire's processes and restarts those that exit. Before `keepAlive` is called, an exit rejects `failed` with
 * the last output of that process.
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

  /** Never resolves; rejects when a process exits before `keepAlive`. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Starts a process. Does nothing after `stop`. */
  start(spec: ChildSpec): void {
    if (this.#state === "stopping") return;
    this.#launch(spec, this.#options.backoffMs);
  }

  /** From now on, a process that exits is restarted. */
  keepAlive(): void {
    if (this.#state === "starting") this.#state = "running";
  }

  /** Asks every process to finish and kills it after `graceMs`. Resolves when all have ended. */
  async stop(graceMs: number): Promise<void> {
    this.#state = "stopping";
    for (const timer of this.#timers) clearTimeout(timer);
    const running = [...this.#children.values()];
    for (const { process } of running) process.kill("SIGTERM");
    const deadline = setTimeout(() => this.kill(), graceMs);
    await Promise.all(running.map(({ process }) => process.exited));
    clearTimeout(deadline);
  }

  kill(): void {
    this.#state = "stopping";
    for (const { process } of this.#children.values()) process.kill("SIGKILL");
  }

  #launch(spec: ChildSpec, backoffMs: number): void {
    const log = openLog(spec.logFile);
    const { size: logStart } = fstatSync(log);
    const child = Bun.spawn(spec.command, {
      env: spec.env,
      stdio: ["ignore", log, log],
      // A separate process group: Ctrl+C reaches the process only through `stop`, and not from the terminal as well.
      detached: true,
      onExit: (_, exitCode, signal) => this.#onExit(spec, exitCode, signal),
    });
    closeSync(log);
    this.#children.set(spec.name, { spec, process: child, startedAtMs: performance.now(), logStart, backoffMs });
  }

  #onExit(spec: ChildSpec, exitCode: number | null, signal: number | string | null): void {
    const child = this.#children.get(spec.name);
    this.#children.delete(spec.name);
    if (!child || this.#state === "stopping") return;
    const how = exitCode === null ? `was killed by signal ${signal}` : `exited with code ${exitCode}`;
    if (this.#state === "starting") {
      const said = lastOutput(spec.logFile, child.logStart);
      const message = `The ${spec.name} ${how} while it started${said ? `: ${said}` : "."}`;
      this.#failed.reject(new AppError("unavailable", `${message}\nIts log: ${spec.logFile}`));
      return;
    }
    const wasSteady = performance.now() - child.startedAtMs > STEADY_MS;
    const waitMs = wasSteady ? this.#options.backoffMs : child.backoffMs;
    this.#options.onEvent(`The ${spec.name} ${how}; restarting in ${waitMs / 1000} s.`);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#launch(spec, Math.min(waitMs * 2, MAX_BACKOFF_MS));
    }, waitMs);
    this.#timers.add(timer);
  }
}

/** Opens a log for appending. A large log is first renamed to `….1`, replacing the previous one. */
const openLog = (path: string): number => {
  if (existsSync(path) && statSync(path).size > MAX_LOG_BYTES) renameSync(path, `${path}.1`);
  return openSync(path, "a", 0o600);
};

/** The last lines that a process has written since `start`, without JSON lines. */
const lastOutput = (logFile: string, start: number): string => {
  const written = readFileSync(logFile).subarray(start).subarray(-TAIL_BYTES).toString().trimEnd().split("\n");
  const plain = written.filter((line) => !line.startsWith("{"));
  return (plain.length > 0 ? plain : written)
    .slice(-TAIL_LINES)
    .join("\n")
    .replace(/^error /, "");
};

const ROOT = join(import.meta.dir, "../../..");

/**
 * The command line that runs a Groundwire script from any folder. `script` is relative to the project's root. The
 * command names tsconfig.json, because Bun 1.4.5 looks for the JSX settings in the working directory and not next to
 * the script. The process ends with its parent.
 */
export const bunCommand = (script: string): string[] => [
  process.execPath,
  "--no-orphans",
  `--tsconfig-override=${join(ROOT, "tsconfig.json")}`,
  join(ROOT, script),
];
