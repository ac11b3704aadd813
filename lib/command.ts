import { type ParseArgsConfig, parseArgs, styleText } from "node:util";
import { AppError, toAppError, withoutRoutes } from "./errors";

/** Exit codes of every command. `usage` (EX_USAGE of sysexits.h) covers wrong arguments and wrong settings. */
export const EXIT = { ok: 0, failed: 1, usage: 64 } as const;

type Format = Parameters<typeof styleText>[0];

/** Colours text if the stream is a terminal; respects `NO_COLOR`. */
export const paint = (format: Format, text: string, stream: NodeJS.WriteStream = process.stdout): string =>
  styleText(format, text, { stream });

/** Writes a problem to stderr: what happened, then what to do. */
const printError = (message: string): void => {
  process.stderr.write(`${paint("red", "error", process.stderr)} ${message}\n`);
};

/** Prints an error and returns its exit code; `usageCode` for an invalid request. */
export const reportFailure = (thrown: unknown, usageCode: number = EXIT.usage): number => {
  const problem = toAppError(thrown);
  const unexpected = problem.kind === "internal" && thrown instanceof Error ? thrown : undefined;
  // An operating system error already names the call and the path; its stack adds nothing.
  const detail = unexpected && "syscall" in unexpected ? unexpected.message : unexpected?.stack;
  printError(detail ?? withoutRoutes(problem.message));
  return problem.kind === "invalid_request" ? usageCode : EXIT.failed;
};

/** The only argument of a command. Throws invalid_request with `request`, such as "Name one folder.", and the help. */
export const onlyArgument = ([argument, ...rest]: readonly string[], request: string, help: string): string => {
  if (argument !== undefined && rest.length === 0) return argument;
  throw new AppError("invalid_request", `${request}\n\n${help}`);
};

type Options = NonNullable<ParseArgsConfig["options"]>;
type Parsed<O extends Options> = ReturnType<typeof parseArgs<{ options: O; allowPositionals: true }>>;

/**
 * Runs one command: parses its arguments, prints `help` if requested, and turns an error into one message on stderr and
 * an exit code. `run` resolves with the exit code. Arguments that aren't options are rejected unless `takesArguments`.
 * `usageCode` is the exit code for wrong arguments, if a command doesn't use the common one.
 */
export const runCommand = async <const O extends Options>(
  help: string,
  options: O,
  run: (parsed: Parsed<O>) => Promise<number> | number,
  { takesArguments = false, usageCode = EXIT.usage as number } = {},
): Promise<void> => {
  if (process.argv.includes("--help")) {
    process.stdout.write(`${help}\n`);
    return;
  }
  let parsed: Parsed<O>;
  try {
    parsed = parseArgs({ options, allowPositionals: true });
    const [stray] = takesArguments ? [] : parsed.positionals;
    if (stray !== undefined) throw new Error(`"${stray}" is not an option of this command.`);
  } catch (error) {
    // Drops Node's advice about arguments that begin with a dash. It doesn't help with a mistyped option.
    const [problem] = (error instanceof Error ? error.message : String(error)).split(" To specify a positional");
    printError(`${problem}\n\n${help}`);
    process.exitCode = usageCode;
    return;
  }
  try {
    process.exitCode = await run(parsed);
  } catch (error) {
    process.exitCode = reportFailure(error, usageCode);
  }
};
