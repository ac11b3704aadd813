import { paint } from "../../../lib/command";
import { alignColumns, markdownTable } from "../../../lib/table";
import { type JunitCase, writeJunit } from "../../batch-evals/export/junit";
import type { RuleVerdict } from "../../compare/gate/contract";
import { decimal, percent } from "../../compare/words";
import { textOfInput } from "../../datasets/content";
import { answerText } from "../../evals/answer-text";
import type { Interval } from "../../evals/statistics-contract";
import type { EvalReport } from "./run";

/** The outcome of the command: the gate's verdict, or pass without rules. */
export const outcomeOf = ({ gate }: EvalReport): RuleVerdict["verdict"] => gate?.verdict ?? "pass";

/** Width of the column with a rule's result. */
const INDENT = 17;
const WORDS = { pass: "pass", fail: "fail", not_enough_data: "not enough data" } as const;
const COLORS = { pass: "green", fail: "red", not_enough_data: "yellow" } as const;

type Show = (value: number) => string;
const rangeText = (interval: Interval | null, show: Show): string =>
  interval ? `${show(interval.low)} to ${show(interval.high)}` : "";

/** One row per figure: name, value, interval, samples, errors. */
const figureRows = ({ run }: EvalReport): string[][] => {
  const rows = [["figure", "value", "95 % interval", "samples", "errors"]];
  const { verdict, statistics, latency, usage, progress } = run;
  rows.push(["results", `${progress.done}`, "", "", `${progress.errors}`]);
  if (verdict?.pass_rate) {
    const { value, interval } = verdict.pass_rate;
    rows.push(["pass rate", percent(value), rangeText(interval, percent), `${verdict.n}`, `${verdict.errors}`]);
  }
  for (const { metric, evaluator, shadow, mean, interval, n, errors } of statistics) {
    const name = `mean ${metric}, ${evaluator}${shadow ? " (comparison only)" : ""}`;
    rows.push([name, mean === null ? "none" : decimal(mean), rangeText(interval, decimal), `${n}`, `${errors}`]);
  }
  if (latency) {
    const { ttft, total, n } = latency;
    const show = ({ p50, p95 }: typeof total) => `${Math.round(p50)} / ${Math.round(p95)} ms`;
    rows.push(["latency, p50 / p95", show(total), "", `${n}`, ""]);
    rows.push(["time to first token, p50 / p95", show(ttft), "", `${n}`, ""]);
  }
  const perAnswer = progress.done === 0 ? 0 : usage.completion_tokens / progress.done;
  if (usage.total_tokens > 0) rows.push(["tokens per answer", perAnswer.toFixed(1), "", `${progress.done}`, ""]);
  return rows;
};

const ruleRows = (report: EvalReport): string[][] => [
  ["gate", "result", "why"],
  ...(report.gate?.rules ?? []).map(({ text, verdict, reason }) => [text, WORDS[verdict], reason]),
];

const oneLine = (text: string, max: number): string => {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= max ? line : `${line.slice(0, max - 1)}…`;
};

const failureRows = ({ failures }: EvalReport): string[][] => [
  ["sample", "failure", "input", "output or error"],
  ...failures.map(({ sample_key, failure, input, output, error }) => [
    oneLine(sample_key, 24),
    (failure ?? "error").replaceAll("_", " "),
    oneLine(textOfInput(input), 48),
    oneLine(error?.message ?? answerText(output), error ? 100 : 48),
  ]),
];

/** "worst 10 of 18", or the number of failures if all are listed. */
const failuresShown = ({ failures, run: { progress, passed } }: EvalReport): string => {
  const all = progress.errors + Math.round(progress.judged * (1 - (passed ?? 0)));
  return failures.length < all ? `worst ${failures.length} of ${all}` : `${failures.length}`;
};

const titleOf = ({ dataset, run }: EvalReport): string => {
  const { target, repeats } = run.pins;
  const what = target.kind === "stored" ? "stored outputs" : (target.model ?? "the default model");
  const times = repeats > 1 ? `, ${repeats} answers per sample` : "";
  return `${dataset.name}, revision ${run.pins.dataset?.revision ?? dataset.latest.revision}: ${what}${times}`;
};

const conclusion = (report: EvalReport): string => {
  const outcome = outcomeOf(report);
  if (!report.gate) return "The run is complete. No gate was given.";
  const word = { pass: "Pass. ", fail: "Fail. ", not_enough_data: "" }[outcome];
  return `${word}${report.gate.reason}`;
};

const comparisonText = ({ comparison }: EvalReport): string | undefined => {
  const [compared] = comparison?.comparisons ?? [];
  if (!compared) return undefined;
  const warnings = compared.warnings.map(({ message }) => message);
  return [`Compared with the baseline "${comparison?.runs[0]?.name}": ${compared.summary}`, ...warnings].join("\n");
};

/** The report for a terminal. */
export const reportText = (report: EvalReport, url: string | undefined): string => {
  const { run, gate, failures } = report;
  const outcome = outcomeOf(report);
  const rules = (gate?.rules ?? []).flatMap(({ text, verdict, reason }) => [
    `${paint(COLORS[verdict], WORDS[verdict].padEnd(INDENT))}${text}`,
    paint("dim", `${" ".repeat(INDENT)}${reason}`),
  ]);
  const compared = comparisonText(report);
  const [figures = "", ...rest] = alignColumns(figureRows(report));
  const [failureHeader = "", ...failed] = alignColumns(failureRows(report));
  const failureTitle = `Failures: ${failuresShown(report)}`;
  const where = url ? `${url}/batch-evals/${run.id}` : run.id;
  return [
    `${paint("bold", titleOf(report))}  ${paint("dim", where)}`,
    "",
    ...[paint("dim", figures), ...rest],
    ...(rules.length > 0 ? ["", ...rules] : []),
    ...(compared ? ["", compared] : []),
    ...(failures.length > 0 ? ["", failureTitle, paint("dim", failureHeader), ...failed] : []),
    "",
    gate ? paint(["bold", COLORS[outcome]], conclusion(report)) : conclusion(report),
  ].join("\n");
};

/** The report for a pull request. */
export const reportMarkdown = (report: EvalReport): string => {
  const { gate, failures, run } = report;
  const compared = comparisonText(report);
  const details =
    failures.length === 0
      ? []
      : [
          "",
          `<details><summary>Failures, errors first: ${failuresShown(report)}</summary>`,
          "",
          ...markdownTable(failureRows(report)),
          "",
          "</details>",
        ];
  return `${[
    `### Evaluation of ${titleOf(report)}`,
    "",
    `**${conclusion(report)}**`,
    ...(gate ? ["", ...markdownTable(ruleRows(report))] : []),
    "",
    ...markdownTable(figureRows(report)),
    ...(compared ? ["", compared.replaceAll("\n", "  \n")] : []),
    ...details,
    "",
    `Run \`${run.id}\``,
  ].join("\n")}\n`;
};

/** One test case per rule, so that CI systems show rules as tests. */
export const reportJunit = async (report: EvalReport): Promise<string> => {
  const { run, gate, dataset } = report;
  const rules = gate?.rules ?? [];
  const cases = rules.map(({ text, verdict, reason }): JunitCase => {
    const problem = { type: verdict, message: reason, text: reason };
    const outcome: JunitCase["outcome"] =
      verdict === "pass" ? { kind: "passed" } : { kind: verdict === "fail" ? "failure" : "error", ...problem };
    return { name: text, classname: dataset.name, seconds: null, outcome };
  });
  const count = (verdict: RuleVerdict["verdict"]) => rules.filter((rule) => rule.verdict === verdict).length;
  const seconds = run.started_at && run.ended_at ? (Date.parse(run.ended_at) - Date.parse(run.started_at)) / 1000 : 0;
  const suite = {
    name: titleOf(report),
    startedAt: run.started_at,
    ...{ tests: rules.length, failures: count("fail"), errors: count("not_enough_data"), skipped: 0, seconds },
    properties: { run: run.id, verdict: outcomeOf(report), reason: conclusion(report) },
  };
  return (await Array.fromAsync(writeJunit(suite, cases))).join("");
};

/** The report for programs. */
export const reportJson = (report: EvalReport, exitCode: number): string => {
  const { dataset, run, gate, comparison } = report;
  const compared = comparison && { runs: comparison.runs, comparisons: comparison.comparisons };
  return `${JSON.stringify({ verdict: outcomeOf(report), exit_code: exitCode, dataset, run, gate, comparison: compared }, null, 2)}\n`;
};
