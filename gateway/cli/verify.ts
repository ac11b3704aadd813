import { stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { EXIT, onlyArgument, paint, runCommand } from "../../lib/command";
import { AppError } from "../../lib/errors";
import { drawProgress } from "../../lib/progress";
import type { Rescore } from "../batch-evals/bundle/check-result";
import { type Verification, verifyBundle } from "../batch-evals/bundle/verify-bundle";
import { scoreExact } from "../evals/scorers/exact-evaluator";
import { scoreToolCalls } from "../evals/scorers/tool-call-evaluator";
import { ScoringPool } from "../evals/scoring-thread/scoring-pool";

const HELP = `Verifies an exported batch run: every hash, score, verdict and figure. Needs no server and no settings.

  bun run verify BUNDLE           a file from GET /v1/batch-evals/{id}/export?format=bundle
  bun run verify BUNDLE --json    for scripts

Scores by evaluators without a model are recomputed from the stored outputs. Scores by judges can't be recomputed.
Exit codes: 0 verified, 1 something differs, 2 wrong arguments, or the bundle can't be read.`;

const EXIT_UNREADABLE = 2;
const MAX_THREADS = 8;
/** Interval between updates of the progress line. */
const REDRAW_MS = 200;

/** Evaluators that are too quick to be worth a thread. */
const SCORERS = { exact: scoreExact, tool_call: scoreToolCalls };

const threads = Math.min(availableParallelism(), MAX_THREADS);

const verify = async (path: string): Promise<Verification> => {
  const isFile = await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!isFile) throw new AppError("invalid_request", `${path} is not a file.`);
  const pool = new ScoringPool(threads);
  const { signal } = new AbortController();
  const rescore: Rescore = async (answer, kind) =>
    kind === "reference" ? pool.score({ signal }, answer, kind) : SCORERS[kind](answer);
  const draw = drawProgress(process.stderr);
  let [done, total, drawnMs] = [0, 0, 0];
  try {
    return await verifyBundle(Bun.file(path).stream(), {
      rescore,
      parallel: 4 * threads,
      onStart: (results) => {
        total = results;
      },
      onResult: () => {
        done++;
        if (done < total && performance.now() - drawnMs < REDRAW_MS) return;
        drawnMs = performance.now();
        draw({ task: "verifying", done, total, unit: "results" });
      },
    });
  } finally {
    if (process.stderr.isTTY && done < total) process.stderr.write("\n");
    pool.close();
  }
};

const number = new Intl.NumberFormat("en");
const count = (value: number, one: string, more = `${one}s`) => `${number.format(value)} ${value === 1 ? one : more}`;

const scoresText = (scores: Readonly<Record<string, number>>): string =>
  Object.entries(scores)
    .map(([name, scored]) => `${count(scored, "score")} by ${name}`)
    .join(", ");

const print = ({
  run,
  results,
  files,
  bytes,
  recomputed,
  taken,
  figures,
  differences,
  differenceCount,
}: Verification) => {
  const isVerified = differenceCount === 0;
  const name = run ? `${run.name} (${run.id})` : "this bundle";
  console.log(
    isVerified
      ? `${paint("green", "Verified")}  ${name}, ${count(results, "result")}`
      : `${paint("red", "Not verified")}  ${name}: ${count(differenceCount, "difference")}`,
  );
  if (isVerified) {
    const facts = [
      `${count(files, "file")} (${(bytes / 1e6).toFixed(1)} MB) match their SHA-256`,
      Object.keys(recomputed).length > 0 && `recomputed: ${scoresText(recomputed)}`,
      Object.keys(taken).length > 0 && `not recomputed, because they came from a model: ${scoresText(taken)}`,
      `recomputed: ${count(figures, "figure")}`,
    ];
    for (const fact of facts) if (fact) console.log(`  ${fact}`);
    return;
  }
  for (const difference of differences) console.log(`  ${difference}`);
  const more = differenceCount - differences.length;
  if (more > 0) console.log(`  … and ${number.format(more)} more`);
};

await runCommand(
  HELP,
  { json: { type: "boolean", default: false } },
  async ({ values, positionals }) => {
    const verification = await verify(onlyArgument(positionals, "Give the path of one bundle.", HELP));
    if (values.json)
      console.log(JSON.stringify({ verified: verification.differenceCount === 0, ...verification }, null, 2));
    else print(verification);
    return verification.differenceCount === 0 ? EXIT.ok : EXIT.failed;
  },
  { takesArguments: true, usageCode: EXIT_UNREADABLE },
);
