import { EXIT, reportFailure } from "./command";
import type { Config } from "./config";
import { toAppError } from "./errors";
import { createLog, type Log } from "./log";
import { loadConfig } from "./settings";

/** EX_CONFIG of sysexits.h: the database belongs to a different version, so a restart doesn't help. */
const EXIT_WRONG_DATABASE = 78;

interface Server {
  /** Waits for active work to finish, then closes. Throws if any part fails to close; the log names that part. */
  close(): Promise<void>;
  /** Rejects if the server discovers after its start that it can't work. */
  working?: Promise<unknown>;
}

interface ServerProcess {
  component: Parameters<typeof createLog>[0];
  help: string;
  /** Resolves when the server is ready. */
  start(config: Config, log: Log): Promise<Server>;
}

/**
 * Runs one server process: reads the settings, starts, drains on SIGTERM or SIGINT, and exits immediately on the second
 * signal. Exit codes: 0 after a clean close, 64 for invalid settings, 78 for a database of a different version, and 1
 * otherwise.
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
      // A start that is interrupted by a signal is not a failure.
      if (!isClosing()) throw thrown;
    });
  } catch (thrown) {
    const code = reportFailure(thrown);
    await exit(toAppError(thrown).kind === "conflict" ? EXIT_WRONG_DATABASE : code);
  }
};

const closeOnSignal = (server: Server, exit: (code: number) => Promise<never>): (() => boolean) => {
  let isClosing = false;
  const stop = (): void => {
    // A second signal means: don't wait for active work.
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
