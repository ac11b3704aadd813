import { csvRecord, guardText } from "../../lib/csv";
import type { RunExport, RunExportQuery } from "./contract";
import { questionOf } from "./target";
import { decidingScores, inRunOrder } from "./verdict";

/** A run as a file: all of it as JSON, or its scores as CSV. */
export const runFile = (file: RunExport, format: RunExportQuery["format"] = "json") =>
  format === "csv"
    ? { name: `${file.run.id}.csv`, mediaType: "text/csv", content: toCsv(file) }
    : { name: `${file.run.id}.json`, mediaType: "application/json", content: `${JSON.stringify(file)}\n` };

const COLUMNS = [
  "result_id",
  "sample_key",
  "repeat",
  "input",
  "output",
  "passed",
  "failure",
  "evaluator",
  "metric",
  "state",
  "value",
  "metric_passed",
  "shadow",
  "in_verdict",
  "reason",
];

/** One line per score, in the order of the page; `in_verdict` says whether the verdict counts it. */
const toCsv = ({ run, results }: RunExport): string =>
  [COLUMNS, ...results.flatMap((entry) => toLines(entry, run))]
    .map((cells) =>
      csvRecord(cells.map((cell) => (cell && typeof cell === "string" ? guardText(cell) : String(cell ?? "")))),
    )
    .join("");

const toLines = ({ sample, result }: RunExport["results"][number], { pins }: RunExport["run"]): unknown[][] => {
  const { id, sample_key: key, repeat, output, passed, failure } = result;
  const common = [id, key, repeat, questionOf(sample.input), output?.text, passed, failure];
  if (result.scores.length === 0) return [[...common, ...Array.from({ length: COLUMNS.length - common.length })]];
  const counted = new Set(decidingScores(result.scores));
  return inRunOrder(result.scores, pins).map((score) => {
    const { evaluator, metric, state, value, passed: isPassed, shadow, reason } = score;
    return [...common, evaluator, metric, state, value, isPassed, shadow, counted.has(score), reason];
  });
};
