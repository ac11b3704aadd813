import { join } from "node:path";
import { type Finding, failed, overall, type Result } from "../../gateway/cli/doctor/check";
import { EXIT, paint, runCommand } from "../../lib/command";
import { AppError } from "../../lib/errors";
import manifest from "../../package.json";
import { CHECKS, type Release } from "./checks";

const HELP = `Checks whether this commit can be released. docs/release.md lists what can't be checked by a command.

  bun run release-check              everything, with all tests: about half an hour
  bun run release-check --quick      without the tests
  bun run release-check tree bun     only these: ${Object.keys(CHECKS).join(", ")}

Exit codes: 0 nothing failed, 1 a check failed, 64 an unknown name.`;

const ROOT = join(import.meta.dir, "../..");
const COLOURS = { passed: "green", warning: "yellow", failed: "red" } as const;

const release: Release = {
  root: ROOT,
  async run(command, shows = false) {
    const env = { ...process.env, NO_COLOR: "1" };
    const child = Bun.spawn(command, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
    const read = async (stream: ReadableStream<Uint8Array>): Promise<string> => {
      const decoder = new TextDecoder();
      let text = "";
      for await (const piece of stream) {
        text += decoder.decode(piece, { stream: true });
        if (shows) process.stderr.write(piece);
      }
      return text;
    };
    const [out, errors, code] = await Promise.all([read(child.stdout), read(child.stderr), child.exited]);
    return { code, out: out || errors };
  },
};

const crashed = (error: unknown): Finding =>
  failed(`the check itself failed: ${error instanceof Error ? error.message : error}`, "Run this check by itself.");

const print = ({ name, status, message, ...rest }: Result): void => {
  console.log(`${paint(COLOURS[status], status.toUpperCase().padEnd(7))}  ${name.padEnd(12)}  ${message}`);
  if ("remedy" in rest) console.log(`${" ".repeat(23)} ${paint("bold", "→")} ${rest.remedy}`);
};

await runCommand(
  HELP,
  { quick: { type: "boolean" } },
  async ({ values, positionals }) => {
    const unknown = positionals.find((name) => !(name in CHECKS));
    if (unknown) {
      throw new AppError("invalid_request", `"${unknown}" is not a check. Checks: ${Object.keys(CHECKS).join(", ")}.`);
    }
    const names = Object.keys(CHECKS).filter((name) =>
      positionals.length > 0 ? positionals.includes(name) : !values.quick || name !== "tests",
    );
    const results: Result[] = [];
    for (const name of names) {
      const finding = await CHECKS[name]?.(release).catch(crashed);
      if (!finding) continue;
      results.push({ name, ...finding });
      print({ name, ...finding });
    }
    const status = overall(results);
    const left = Object.keys(CHECKS).length - names.length;
    const failures = results.filter((result) => result.status === "failed").length;
    const unchecked = left > 0 ? ` ${left} of ${Object.keys(CHECKS).length} checks were not run.` : "";
    const passes = left > 0 ? "has passed these checks" : "can be released";
    const verdict = status === "failed" ? `can't be released: ${failures} failed` : passes;
    const warnings = status === "warning" ? ", with warnings" : "";
    console.log(`\n${paint("bold", `${manifest.version} ${verdict}${warnings}.`)}${unchecked}`);
    return status === "failed" ? EXIT.failed : EXIT.ok;
  },
  { takesArguments: true },
);
