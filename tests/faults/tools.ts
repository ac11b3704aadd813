import { homedir } from "node:os";
import { join } from "node:path";

/** Exit code of a script that could not run because a tool is missing. It counts as neither passed nor failed. */
export const NOT_RUN = 77;

/** Ends the script as not run. */
export const endAsNotRun = (reason: string): never => {
  console.log(`not run: ${reason}`);
  process.exit(NOT_RUN);
};

/** Where `go install` writes programs. */
export const GO_BIN = process.env.GOBIN || join(process.env.GOPATH || join(homedir(), "go"), "bin");

/** Path of a program on the PATH or in Go's folder. Without it, the script ends as not run. */
export const requireTool = (name: string): string =>
  Bun.which(name) ??
  Bun.which(name, { PATH: GO_BIN }) ??
  endAsNotRun(`${name} is not installed. Run: bun tests/faults/setup.ts`);
