import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLIENTS, fillIn } from "../../views/connect/clients";
import { SCRIPT } from "./conversations";
import type { Program } from "./programs";

/** The gateway under test. */
export interface Target {
  url: string;
  key: string;
  model: string;
  /** Whether the model supports everything that the examples in docs/clients.md need. */
  canRunExamples: boolean;
}

const CONVERSATIONS = ["plain", "stream", "schema", "tools", "image", "abort"] as const;
export const COLUMNS = [...CONVERSATIONS, "examples"] as const;
/** The outcome of each column: `ok`, `refused` or `failed: reason`. */
export type Outcomes = Partial<Record<(typeof COLUMNS)[number] | "installed", string>>;

const TIMEOUT_MS = 120_000;
const SCRIPT_FILE = join(import.meta.dir, "python", "conversations.py");

/** Runs the conversations of an installed client and its examples in docs/clients.md. */
export const runProgram = async (program: Program, folder: string, target: Target): Promise<Outcomes> => ({
  ...(program.module && (await converse(program.module, folder, target))),
  ...(target.canRunExamples && { examples: await runExamples(program, folder, target) }),
});

const converse = async (module: string, folder: string, target: Target): Promise<Outcomes> => {
  const { stdout, problem } = await outputOf([pythonOf(folder), SCRIPT_FILE, module], folder, target);
  const outcomes: Outcomes = {};
  for (const line of stdout.split("\n").filter((each) => each.startsWith("{"))) {
    const { conversation, outcome } = JSON.parse(line) as { conversation: (typeof COLUMNS)[number]; outcome: string };
    outcomes[conversation] = outcome;
  }
  for (const name of CONVERSATIONS) outcomes[name] ??= `failed: ${problem ?? "no result"}`;
  return outcomes;
};

const pythonOf = (folder: string): string => join(folder, "bin", "python");

/** Runs the examples of the program's section as one script, with the address and model of the gateway. */
const runExamples = async ({ section, question }: Program, folder: string, target: Target): Promise<string> => {
  const language = question === undefined ? "python" : "sh";
  const { text = "" } = CLIENTS.find(({ id }) => id === section) ?? {};
  const examples = [...text.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "gs"))].map(([, code = ""]) => code);
  const chat = { id: target.model, context_window: 32_768, capabilities: { tools: true } };
  const script = fillIn(examples.join("\n"), { origin: target.url, chat });
  const command =
    question === undefined ? [pythonOf(folder), "-c", script] : ["sh", "-c", `${script.trimEnd()} ${question}`];
  const { stdout, problem } = await outputOf(command, folder, target);
  if (problem !== undefined) return `failed: ${problem}`;
  return stdout.includes(SCRIPT.text) ? "ok" : `failed: the output lacks the answer: ${stdout.slice(-200)}`;
};

/**
 * Runs a command in the client's environment and an empty folder. `problem` is the last line of stderr if it failed.
 */
const outputOf = async (command: string[], folder: string, { url, key, model }: Target) => {
  const cwd = await mkdtemp(join(tmpdir(), "groundwire-clients-"));
  const PATH = `${join(folder, "bin")}:${process.env.PATH}`;
  const connection = { GROUNDWIRE_URL: url, GROUNDWIRE_API_KEY: key, MODEL: model };
  // Otherwise LiteLLM, which aider also uses, downloads a price list.
  const env = { PATH, HOME: cwd, ...connection, LITELLM_LOCAL_MODEL_COST_MAP: "True", PYTHONDONTWRITEBYTECODE: "1" };
  const child = Bun.spawn(command, { cwd, env, stdio: ["ignore", "pipe", "pipe"], timeout: TIMEOUT_MS });
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  await rm(cwd, { recursive: true, force: true });
  if (code === 0) return { stdout };
  const reason =
    child.signalCode === null ? stderr.trimEnd().split("\n").at(-1) : `no end after ${TIMEOUT_MS / 1000} s`;
  return { stdout, problem: reason || `exit code ${code}` };
};
