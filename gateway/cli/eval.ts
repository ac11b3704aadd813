import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { reportFailure, runCommand } from "../../lib/command";
import type { Config } from "../../lib/config";
import { AppError, toAppError } from "../../lib/errors";
import { loadConfig } from "../../lib/settings";
import { checkRules, parseRule } from "../compare/gate/rule";
import { type ApiClient, apiClient } from "./api-client";
import { outcomeOf, reportJson, reportJunit, reportMarkdown, reportText } from "./eval/report";
import { type EvalRequest, runEval } from "./eval/run";

const HELP = `Evaluates a model on a dataset and checks the run against a gate, for people and for CI.

  bun run eval --dataset FILE                             the default model, in this process
  bun run eval --dataset FILE --gate "pass_rate>=0.8"     also checks a rule; repeat --gate for more rules
  bun run eval --dataset NAME --url https://…             on a running server, with a key in GROUNDWIRE_API_KEY

What to evaluate
  --dataset FILE|NAME   a JSONL, JSON, CSV or Parquet file, or a dataset on the server. A file becomes a new revision
  --name NAME           name of the file's dataset; default: the file's name
  --model M             default: the default model
  --prompt NAME@V       prompt version for the model
  --index NAME          answers from this index on the server
  --stored-outputs      scores the outputs in the dataset; no model is called
  --max-tokens N        maximum length of an answer
  --tag T               only samples with this tag; may be repeated
  --limit N             a random subset of this size
  --repeats N           outputs per sample
  --seed N              seed of the model and of the subset; default 0
  --evaluator E@V       for example reference@1; may be repeated; default: the active ones

Gate
  --gate RULE           pass_rate>=0.8  correctness.mean>=0.7  judge@1/faithfulness.pass_rate>=90%
                        pass_rate>=baseline-0.02  errors<=1%  latency_p95<=2000ms  ttft_p50<=300ms
  --baseline RUN        the run that "baseline" means; default: the dataset's baseline run
  --set-baseline        makes this run the dataset's baseline if all rules pass

Where
  --url URL             a running server; default: GROUNDWIRE_URL, otherwise gateway, worker and model run in this process
  --keep FOLDER         without a server: keeps the database in this folder, with all datasets and runs

Reports, in addition to the table on stdout
  --junit FILE          one test case per rule
  --markdown FILE       a summary for a pull request
  --json FILE           the verdict with all figures, for programs

Ctrl+C cancels the run; pressed again, it stops the command without waiting. Progress is written to stderr.

Exit codes
  0  all rules pass, or no rule was given
  1  a rule fails
  2  the arguments, the key, the dataset or a setting is wrong
  3  no rule fails, but there is not enough data to decide one
  4  the run could not be completed, or was cancelled`;

const CODES = { pass: 0, fail: 1, usage: 2, not_enough_data: 3, failed: 4 } as const;

const OPTIONS = {
  dataset: { type: "string" },
  name: { type: "string" },
  model: { type: "string" },
  prompt: { type: "string" },
  index: { type: "string" },
  "stored-outputs": { type: "boolean" },
  "max-tokens": { type: "string" },
  tag: { type: "string", multiple: true },
  limit: { type: "string" },
  repeats: { type: "string" },
  seed: { type: "string" },
  evaluator: { type: "string", multiple: true },
  gate: { type: "string", multiple: true },
  baseline: { type: "string" },
  "set-baseline": { type: "boolean" },
  url: { type: "string" },
  keep: { type: "string" },
  junit: { type: "string" },
  markdown: { type: "string" },
  json: { type: "string" },
} as const;

type Options = typeof OPTIONS;
type Values = {
  [Name in keyof Options]?: Options[Name] extends { multiple: true }
    ? string[]
    : Options[Name] extends { type: "boolean" }
      ? boolean
      : string;
};

const usage = (message: string): AppError => new AppError("invalid_request", message);

const wholeNumber = (values: Values, name: "max-tokens" | "limit" | "repeats" | "seed"): number | undefined => {
  const text = values[name];
  if (text === undefined) return undefined;
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw usage(`--${name} is "${text}". Use a whole number.`);
};

/** Leaves out undefined fields, because requests don't accept them. */
const defined = <T extends object>(fields: T): T => JSON.parse(JSON.stringify(fields)) as T;

const readRequest = (values: Values): EvalRequest => {
  const {
    dataset,
    name,
    model,
    prompt,
    index,
    evaluator,
    gate = [],
    tag,
    baseline,
    "stored-outputs": isStored,
  } = values;
  if (dataset === undefined) throw usage(`Name the dataset with --dataset.\n\n${HELP}`);
  if (isStored && (model ?? prompt ?? index) !== undefined)
    throw usage("--stored-outputs calls no model. Remove --model, --prompt and --index.");
  const rules = gate.map(parseRule);
  checkRules(rules);
  const kind = isStored ? "stored" : index === undefined ? "chat" : "rag";
  const samples = defined({ tags: tag, limit: wholeNumber(values, "limit") });
  return {
    ...{ dataset, name, rules, baseline, becomesBaseline: values["set-baseline"] === true },
    plan: defined({
      target: { kind, model, prompt, index, max_tokens: wholeNumber(values, "max-tokens") },
      samples: Object.keys(samples).length > 0 ? samples : undefined,
      evaluators: evaluator,
      repeats: wholeNumber(values, "repeats"),
      seed: wholeNumber(values, "seed"),
    }),
  };
};

interface Connection {
  api: ApiClient;
  /** Undefined for a server in this process, which stops with the command. */
  url: string | undefined;
  close(): Promise<void>;
}

const connect = async (config: Config, values: Values): Promise<Connection> => {
  const url = values.url ?? config.client.url;
  const { key } = config.client;
  if (url === undefined) {
    if (values.index !== undefined)
      throw usage("--index needs the server that has the index. Add its address with --url.");
    if (values.dataset !== undefined && !existsSync(values.dataset) && values.keep === undefined)
      throw usage(
        `The file ${values.dataset} does not exist. For a dataset on a server, add the server's address with --url.`,
      );
    // Imported only here, because loading the engines takes a while and a running server has its own.
    const { startPlatform } = await import("./platform");
    const platform = await startPlatform(config, {
      withChat: values["stored-outputs"] !== true,
      withWorker: true,
      dataDir: values.keep,
    });
    return { api: platform, url, close: () => platform.close() };
  }
  if (values.keep !== undefined)
    throw usage("--keep only applies without a server. Remove it, or remove --url and GROUNDWIRE_URL.");
  if (!key) throw usage(`Set GROUNDWIRE_API_KEY to a key for ${url} with the editor role.`);
  if (!/^https?:\/\/[^\s/]+/.test(url))
    throw usage(`--url is "${url}". Use an address that begins with http:// or https://.`);
  return { api: apiClient(url, key), url: url.replace(/\/+$/, ""), close: async () => {} };
};

/** Aborts on the first signal; a second one ends the process. */
const abortOnSignal = (): AbortSignal => {
  const abort = new AbortController();
  const onSignal = () => {
    if (abort.signal.aborted) process.exit(CODES.failed);
    process.stderr.write("\nCancelling the run. Press Ctrl+C again to stop now.\n");
    abort.abort(new AppError("client_closed", "The run was not started."));
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return abort.signal;
};

/** Errors that the caller can fix are usage errors; all others mean that the run could not be completed. */
const codeOf = (error: AppError): number =>
  error.status >= 400 && error.status < 500 && !error.retryable && error.kind !== "client_closed"
    ? CODES.usage
    : CODES.failed;

/** Writes a report, and creates its folder if necessary. */
const write = async (file: string | undefined, text: () => Promise<string> | string): Promise<void> => {
  if (file === undefined) return;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, await text());
};

await runCommand(
  HELP,
  OPTIONS,
  async ({ values }) => {
    const request = readRequest(values);
    const signal = abortOnSignal();
    let connection: Connection | undefined;
    try {
      connection = await connect(loadConfig(), values);
      const report = await runEval(connection.api, request, signal);
      const exitCode = CODES[outcomeOf(report)];
      console.log(reportText(report, connection.url));
      await write(values.junit, () => reportJunit(report));
      await write(values.markdown, () => reportMarkdown(report));
      await write(values.json, () => reportJson(report, exitCode));
      return exitCode;
    } catch (thrown) {
      const error = toAppError(thrown);
      reportFailure(error);
      for (const { line, path, message } of error.detail.details ?? [])
        process.stderr.write(`  ${line === undefined ? path : `line ${line}`}: ${message}\n`);
      return codeOf(error);
    } finally {
      await connection?.close();
    }
  },
  { usageCode: CODES.usage },
);
