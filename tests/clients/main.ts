import { parseArgs } from "node:util";
import { MODEL } from "../contract/capable-stack";
import { ADMIN_KEY, Stack } from "../harness";
import { ScriptedServer } from "../scripted-server";
import { answerByScript } from "./conversations";
import { install } from "./install";
import { PROGRAMS, type Program } from "./programs";
import { COLUMNS, type Outcomes, runProgram, type Target } from "./run-program";

const HELP = `Installs clients from PyPI and runs the same conversations with each of them.

  bun run clients                              against its own gateway, whose model can do everything
  bun run clients openai litellm               only these clients
  GROUNDWIRE_API_KEY=gw_… bun run clients --url http://127.0.0.1:8080 --model smollm2-135m-instruct
                                               against a running gateway

The clients are installed in ~/.local/share/groundwire/clients. "refused" means that the model lacks the feature
and that the gateway says so. Exit codes: 0 all conversations passed or were refused, 1 one failed, 2 wrong arguments.`;

const fail = (message: string): never => {
  console.error(`${message}\n\n${HELP}`);
  process.exit(2);
};

const readArguments = () => {
  try {
    const options = { url: { type: "string" }, model: { type: "string" }, help: { type: "boolean" } } as const;
    return parseArgs({ args: Bun.argv.slice(2), options, allowPositionals: true });
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
};

const { values, positionals } = readArguments();
if (values.help) {
  console.log(HELP);
  process.exit();
}
const unknown = positionals.filter((wanted) => !PROGRAMS.some(({ name }) => name === wanted));
if (unknown.length > 0)
  fail(`Unknown: ${unknown.join(", ")}. Clients: ${PROGRAMS.map(({ name }) => name).join(", ")}.`);
if (values.url && !(values.model && process.env.GROUNDWIRE_API_KEY))
  fail("--url needs --model and GROUNDWIRE_API_KEY.");

/** Starts a real gateway and node in front of a scripted model server. */
const startTarget = async (): Promise<Target & { stop(): Promise<unknown> }> => {
  const server = new ScriptedServer(MODEL);
  server.answer = answerByScript;
  const stack = await Stack.start({
    engine: "synthetic",
    env: {
      GROUNDWIRE_NODE_ENGINE: "openai",
      GROUNDWIRE_NODE_ENGINE_URL: server.url,
      GROUNDWIRE_NODE_ENGINE_CAPABILITIES: "vision",
      GROUNDWIRE_NODE_EMBEDDER: "synthetic",
    },
  });
  const stop = () => Promise.all([stack.stop(), server.close()]);
  return { url: stack.url, key: ADMIN_KEY, model: MODEL, canRunExamples: true, stop };
};

const runAll = async (programs: readonly Program[], target: Target): Promise<Map<Program, Outcomes>> => {
  const results = new Map<Program, Outcomes>();
  for (const program of programs) {
    const folder = await install(program);
    if (folder === undefined) {
      results.set(program, { installed: "failed" });
      continue;
    }
    const outcomes = await runProgram(program, folder, target);
    for (const [column, outcome] of Object.entries(outcomes)) console.log(`  ${column}: ${outcome}`);
    results.set(program, outcomes);
  }
  return results;
};

/** The first word of an outcome: ok, refused or failed. */
const verdict = (outcome: string | undefined): string => outcome?.split(":", 1)[0] ?? "–";

const table = (results: ReadonlyMap<Program, Outcomes>): string => {
  const rows = [...results].map(([{ name, packages }, outcomes]) => [
    `${name} ${packages[0]?.split("==")[1]}`,
    ...COLUMNS.map((column) => verdict(outcomes[column])),
  ]);
  const lines = [["client", ...COLUMNS], ["", ...COLUMNS].map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
};

const chosen = PROGRAMS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const own = values.url ? undefined : await startTarget();
const given = { url: values.url ?? "", key: process.env.GROUNDWIRE_API_KEY ?? "", model: values.model ?? "" };
const results = await runAll(chosen, own ?? { ...given, canRunExamples: false }).finally(() => own?.stop());
console.log(`\n${table(results)}`);
const outcomes = [...results.values()].flatMap((each) => Object.values(each).map(verdict));
process.exitCode = outcomes.includes("failed") ? 1 : 0;
