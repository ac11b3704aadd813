import { accessSync, constants, mkdirSync } from "node:fs";
import { join, relative } from "node:path";
import { databaseOptions, openDb } from "../../db/client";
import { migrate } from "../../db/migrate";
import { neededModels } from "../../gpu-node/models/catalogue";
import { ensureModel } from "../../gpu-node/models/download";
import { EXIT, paint, runCommand } from "../../lib/command";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import { localUrl } from "../../lib/local-url";
import { silentLog } from "../../lib/log";
import { drawProgress } from "../../lib/progress";
import { type Environment, readSettings, type Settings } from "../../lib/settings";
import { writeAdminKeyFile } from "../admin-key-file";
import { createKeys } from "../keys/service";
import { createSessions } from "../sessions/service";
import { choosePort } from "./start/ports";
import { bunCommand, Supervisor } from "./start/supervisor";

interface FirstRun {
  adminKey: string;
  /** Token of the sign-in link, which works once within 15 minutes. */
  signInToken: string;
}

/**
 * Migrates the database and creates an admin key, before any other process opens the database. Resolves with undefined
 * if there is already an admin key, in the database or in the environment.
 */
const prepareDatabase = async (config: Config): Promise<FirstRun | undefined> => {
  const db = await openDb(databaseOptions(config), silentLog());
  try {
    await migrate(db);
    const keys = createKeys({ db, config });
    const { created } = await keys.bootstrap();
    if (created === undefined) return undefined;
    const { keyId } = await keys.verify(`Bearer ${created}`);
    const { token } = await createSessions({ db, keys }).createSignInToken(keyId);
    return { adminKey: created, signInToken: token };
  } finally {
    await db.close();
  }
};

interface Summary {
  url: string;
  readyAfterMs: number;
  /** Undefined if an admin key already exists, or was written to `keyFile`. */
  firstRun?: FirstRun;
  /** The file with the admin key, if the output is not a terminal. */
  keyFile?: string;
  logFolder: string;
}

const row = (label: string, value: string, note = "") =>
  `  ${paint("dim", label.padEnd(10))} ${value}${note && paint("dim", `  ${note}`)}`;

const renderSummary = ({ url, readyAfterMs, firstRun, keyFile, logFolder }: Summary): string => {
  const signIn = firstRun
    ? [
        row("Sign in", paint("cyan", `${url}/sign-in?token=${firstRun.signInToken}`), "works once, for 15 minutes"),
        row("Admin key", paint("bold", firstRun.adminKey), "shown once: keep it safe"),
      ]
    : [row("Sign in", "with a key, or with a link: bun run keys sign-in-link")];
  return [
    "",
    `  ${paint("bold", "Groundwire is ready")} ${paint("dim", `after ${(readyAfterMs / 1000).toFixed(1)} s`)}`,
    "",
    row("Open", paint("cyan", url)),
    ...signIn,
    ...(keyFile ? [row("Admin key", keyFile, "read it, keep it safe, delete the file")] : []),
    row("API", `${url}/v1`, `reference at ${url}/docs`),
    row("Logs", logFolder),
    "",
    "  Ask the model:",
    "",
    `    curl ${url}/v1/chat -H "authorization: Bearer ${firstRun?.adminKey ?? "$KEY"}" \\`,
    `      -H "content-type: application/json" \\`,
    `      -d '{"messages":[{"role":"user","content":"Name three colours."}],"max_tokens":64}'`,
    "",
    paint("dim", "  Press Ctrl+C to stop. `bun run doctor` checks this machine and suggests fixes."),
    "",
  ].join("\n");
};

const HELP = `Starts Groundwire on this machine: GPU node, jobs worker and gateway, with the default models.

  bun run start                          http://127.0.0.1:8080, or the next free port
  GROUNDWIRE_PORT=9000 bun run start     another port
  GROUNDWIRE_NODES=… bun run start       a gateway for nodes that run elsewhere

Ctrl+C stops once running answers have finished; a second Ctrl+C stops immediately.
Settings: bun run config. Checks: bun run doctor.
A single process: bun run start:gateway, bun run start:gpu-node, bun run start:jobs.`;

const GRACE_MS = 3000;

const isTerminal = process.stdout.isTTY === true;

/** Chooses the ports. A configured port must be free; a default port moves to the next free one. */
const choosePorts = async ({ config, origins }: Settings): Promise<{ gateway: number; node: number }> => {
  const wish = (key: string, setting: string) => (origins.get(key) === "default" ? undefined : { setting });
  const { gateway, node } = config;
  return {
    gateway: await choosePort(gateway.host, gateway.port, wish("gateway.port", "GROUNDWIRE_PORT")),
    node: await choosePort(node.host, node.port, wish("node.port", "GROUNDWIRE_NODE_PORT")),
  };
};

/** Creates the folder for the processes' logs. Throws invalid_request. */
const makeLogFolder = (dataDir: string): string => {
  const folder = join(dataDir, "logs");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK);
    return folder;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError(
      "invalid_request",
      `The data folder ${dataDir} can't be used: ${reason}. Give this user write access, or set GROUNDWIRE_DATA_DIR.`,
    );
  }
};

/** Downloads the models that the node loads. A failure ends the progress line before the error is printed. */
const fetchModels = async (config: Config): Promise<void> => {
  for (const { kind } of neededModels(config)) {
    await ensureModel(kind, config, drawProgress(process.stdout)).catch((error: unknown) => {
      if (isTerminal) console.log();
      throw error;
    });
  }
};

/** Shows the key if the output is a terminal. Other output may end up in a log, so the key is written to a file. */
const keepKey = (firstRun: FirstRun | undefined, dataDir: string): { firstRun?: FirstRun; keyFile?: string } => {
  if (!firstRun || isTerminal) return { firstRun };
  return { keyFile: writeAdminKeyFile(firstRun.adminKey, dataDir) };
};

const say = (message: string) => console.log(`  ${message}`);

/** Starts all processes in the order in which they are needed. Resolves with the exit code when all of them have ended. */
const start = async (): Promise<number> => {
  const startedAt = performance.now();
  const settings = readSettings();
  const { config } = settings;
  const isWithNode = config.gateway.nodes.length === 0;
  const ports = await choosePorts(settings);
  const logFolder = makeLogFolder(config.dataDir);
  if (isWithNode) await fetchModels(config);

  const supervisor = new Supervisor({ onEvent: (message) => say(paint("yellow", message)) });
  const longestDrainMs = Math.max(config.gateway.drainMs, config.node.drainMs, config.jobs.drainMs);
  const stopped = stopOnSignal(supervisor, longestDrainMs + GRACE_MS);
  const env: Environment = {
    ...process.env,
    GROUNDWIRE_PORT: String(ports.gateway),
    GROUNDWIRE_NODE_PORT: String(ports.node),
  };
  const launch = (name: string, folder: string) =>
    supervisor.start({
      name,
      command: bunCommand(`${folder}/main.ts`),
      env,
      logFile: join(logFolder, `${folder}.log`),
    });

  const url = localUrl("http", config.gateway.host, ports.gateway);
  const polling = new AbortController();
  try {
    // Loading the model takes longest, so its process starts first.
    if (isWithNode) launch("GPU node", "gpu-node");
    const shown = keepKey(await prepareDatabase(config), config.dataDir);
    launch("jobs worker", "jobs");
    launch("gateway", "gateway");
    const first = await Promise.race([waitUntilReady(url, polling.signal), stopped, supervisor.failed]);
    if (first !== "ready") return first;
    supervisor.keepAlive();
    console.log(
      renderSummary({
        url: config.gateway.publicUrl ?? url,
        readyAfterMs: performance.now() - startedAt,
        logFolder: logFolder.startsWith(process.cwd()) ? relative(process.cwd(), logFolder) : logFolder,
        ...shown,
      }),
    );
  } catch (error) {
    await supervisor.stop(GRACE_MS);
    throw error;
  } finally {
    polling.abort();
  }
  return stopped;
};

const POLL_MS = 50;
const PROBE_TIMEOUT_MS = 2000;

/** Resolves when the gateway's `GET /readyz` at `url` returns 200, without a timeout. Rejects when aborted. */
export const waitUntilReady = async (url: string, signal: AbortSignal): Promise<"ready"> => {
  while (!(await isReady(url))) {
    await Bun.sleep(POLL_MS);
    signal.throwIfAborted();
  }
  return "ready";
};

const isReady = async (url: string): Promise<boolean> => {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false; // not listening yet
  }
};

/** Resolves with the exit code after a signal, when every process has ended. A second signal kills them. */
const stopOnSignal = (supervisor: Supervisor, graceMs: number): Promise<number> => {
  const { promise, resolve } = Promise.withResolvers<number>();
  let isStopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isStopping) {
      supervisor.kill();
      return;
    }
    isStopping = true;
    say(`${signal === "SIGINT" ? "\n  " : ""}Stopping: waiting for running answers. Press Ctrl+C again to stop now.`);
    void supervisor.stop(graceMs).then(() => {
      say("Stopped.");
      resolve(EXIT.ok);
    });
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return promise;
};

await runCommand(HELP, {}, async () => {
  const exitCode = await start();
  process.exit(exitCode);
});
