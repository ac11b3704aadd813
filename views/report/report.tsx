import { readFileSync } from "node:fs";
import { raw } from "hono/html";
import type { RunReport } from "../../gateway/batch-evals/export/report";
import type { Run } from "../../gateway/evals/contract";
import { listText, targetText } from "../evals/words";
import { count, Facts, number } from "../ui/parts";
import { Failures, FiguresByCriterion, Methods, Segments, Speed } from "./figures";
import { Headline } from "./headline";
import { Samples } from "./samples";

const STYLES = [
  "../styles/tokens.css",
  "../styles/base.css",
  "../styles/tables.css",
  "../styles/utilities.css",
  "report.css",
]
  .map((path) => readFileSync(new URL(path, import.meta.url), "utf8").replace(/\/\*.*?\*\//gs, ""))
  .join("")
  .replace(/\s+/g, " ");

/** Nothing is loaded and nothing runs: only this style sheet applies. */
const POLICY = `default-src 'none'; style-src 'sha256-${Bun.SHA256.hash(STYLES, "base64")}'; base-uri 'none'; form-action 'none'`;

/** A report about a batch run as one HTML document, which needs no server, network or script. */
export const renderReport = async (report: RunReport): Promise<string> =>
  `<!doctype html>${await (<Report {...report} />).toString()}`;

const timeText = (at: string): string => `${at.slice(0, 16).replace("T", " ")} UTC`;

const Report = ({ run, samples, from, exportedAt }: RunReport) => {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content={POLICY} />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>{`${run.name}: evaluation report`}</title>
        <style>{raw(STYLES)}</style>
      </head>
      <body>
        <main>
          <header>
            <h1>{run.name}</h1>
            <p class="lede">{subject(run)}</p>
          </header>
          <State run={run} />
          <Headline run={run} />
          <FiguresByCriterion run={run} />
          <Failures run={run} />
          <Samples samples={samples} from={from} repeats={run.pins.repeats} />
          <Segments segments={run.segments} />
          <Speed run={run} />
          <Measured run={run} />
          <Methods run={run} />
          <p class="fine">Exported by Groundwire on {timeText(exportedAt.toISOString())}.</p>
        </main>
      </body>
    </html>
  );
};

/** "smollm2 on “capitals”, revision 1: 200 samples". */
const subject = (run: Run): string => {
  const { dataset, target, repeats } = run.pins;
  const who = target.kind === "stored" ? "Stored outputs" : targetText(run);
  const what = dataset ? `“${dataset.name}”, revision ${dataset.revision}` : "samples";
  return `${who} on ${what}: ${count(run.progress.total / repeats, "sample")}${repeats > 1 ? `, ${repeats} answers each` : ""}`;
};

/** A notice that the run is not complete. */
const State = ({ run: { state, progress, error } }: { run: Run }) =>
  state === "completed" ? null : (
    <p class="notice">
      This run {STATES[state]}. The report covers {number(progress.done)} of its {count(progress.total, "result")}.{" "}
      {error?.message}
    </p>
  );

const STATES: Readonly<Record<Exclude<Run["state"], "completed">, string>> = {
  queued: "is waiting for a worker",
  running: "was in progress at the time of this report",
  paused: "is paused",
  failed: "failed",
  cancelled: "was cancelled",
};

const Measured = ({ run }: { run: Run }) => {
  const { dataset, target, evaluators, prompt_hash: promptHash, ...pins } = run.pins;
  const named = (isShadow: boolean) => {
    const found = evaluators.filter(({ shadow }) => shadow === isShadow);
    return listText(found.map(({ evaluator, hash }) => `${evaluator} (${hash.slice(0, 12)})`));
  };
  return (
    <section aria-labelledby="measured">
      <h2 id="measured">How this was measured</h2>
      <Facts
        look="record card"
        rows={[
          ["Run", <code>{run.id}</code>],
          ["Target", target.kind === "stored" ? "stored outputs" : targetText(run)],
          ["Model revision", pins.model_revision && <code>{pins.model_revision}</code>],
          ["Prompt", target.prompt && `${target.prompt} (${promptHash?.slice(0, 12)})`],
          ["Maximum length", target.max_tokens !== undefined && `${number(target.max_tokens)} tokens`],
          ["Temperature", target.kind !== "stored" && String(target.temperature ?? 0)],
          ["Seed", String(pins.seed)],
          ["Answers per sample", pins.repeats > 1 && String(pins.repeats)],
          ["Dataset", dataset && `${dataset.name}, revision ${dataset.revision}`],
          ["Dataset hash", dataset && <code>{dataset.hash}</code>],
          ["Samples", samplesText(pins.samples)],
          ["Verdict by", named(false)],
          ["Comparison only", named(true)],
          ["Engine", [pins.engine, pins.node_version && `node ${pins.node_version}`].filter(Boolean).join(", ")],
          ["Version", `Groundwire ${pins.code_version}`],
          ["Started", run.started_at && timeText(run.started_at)],
          ["Ended", run.ended_at && timeText(run.ended_at)],
        ]}
      />
    </section>
  );
};

const samplesText = (choice: Run["pins"]["samples"]): string =>
  [
    choice?.limit !== undefined && `a random subset of ${number(choice.limit)}`,
    choice?.tags && `with the tags ${listText(choice.tags)}`,
  ]
    .filter(Boolean)
    .join(", ");
