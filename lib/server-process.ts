import { EXIT, printError } from "./command";
import type { Config } from "./config";
import { toAppError } from "./errors";
import { createLog, type Log } from "./log";
import { loadConfig } from "./settings";

/** EX_CONFIG of sysexits.h: this version and this database don't fit; trying again changes nothing. */
const EXIT_WRONG_DATABASE = 78;

interface Server {
  /** Lets what runs end, then closes. Throws when a part could not be closed; what failed stands in the log. */
  close(): Promise<void>;
  /** Rejects when it turns out later that it can't do its work. */
  working?: Promise<unknown>;
}

interface ServerProcess {
  component: Parameters<typeof createLog>[0];
  help: string;
  /** Resolves when it serves. */
  start(config: Config, log: Log): Promise<Server>;
}

/**
 * The life of one process: settings, start, drain on SIGTERM or SIGINT, at once on the second. Exits 0 when all was
 * closed, 64 for settings that can't be used, 78 for a database of another version, else 1.
 */
export const runServerProcess = async ({ component, help, start }: ServerProcess): Promise<void> => {
  if (process.argv.includes("--help")) {
    process.stdout.write(`${help}\n`);
    return;
  }
  let log: Log | undefined;
  const exit = async (code: number): Promise<never> => {
    await new Promise<void>((resolve) => (log ? log.flush(() => resolve()) : resolve()));
    process.exit(code);
  };
  try {
    const config = loadConfig();
    log = createLog(component, config.logLevel);
    const server = await start(config, log);
    const isClosing = closeOnSignal(server, exit);
    await server.working?.catch((thrown: unknown) => {
      // A start that is given up because the process closes is no failure.
      if (!isClosing()) throw thrown;
    });
  } catch (thrown) {
    const { kind, message } = toAppError(thrown);
    printError(kind === "internal" && thrown instanceof Error ? (thrown.stack ?? thrown.message) : message);
    await exit(kind === "conflict" ? EXIT_WRONG_DATABASE : kind === "invalid_request" ? EXIT.usage : EXIT.failed);
  }
};

const closeOnSignal = (server: Server, exit: (code: number) => Promise<never>): (() => boolean) => {
  let isClosing = false;
  const stop = (): void => {
    // The second signal is from someone who does not want to wait for what runs.
    if (isClosing) process.exit(EXIT.failed);
    isClosing = true;
    void server.close().then(
      () => exit(EXIT.ok),
      () => exit(EXIT.failed),
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  return () => isClosing;
};
