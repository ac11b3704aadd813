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

/** The virtual environment where setup.ts installs Python programs. */
export const PYTHON = join(homedir(), ".local", "share", "groundwire", "python");

const FOLDERS = [GO_BIN, join(PYTHON, "bin")];

/** Path of a program, on the PATH or where setup.ts installs programs; null if it isn't installed. */
export const findTool = (name: string): string | null => {
  for (const folder of [undefined, ...FOLDERS]) {
    const path = Bun.which(name, folder === undefined ? {} : { PATH: folder });
    if (path !== null) return path;
  }
  return null;
};

/** Path of a program. If it isn't installed, the script ends as not run. */
export const requireTool = (name: string): string =>
  findTool(name) ?? endAsNotRun(`${name} is not installed. Run: bun tests/faults/setup.ts`);
