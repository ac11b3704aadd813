import { csvRecord } from "../../lib/csv";
import { guardText } from "../datasets/spreadsheet-text";
import { download } from "../http/download";
import type { RunExport, RunExportQuery } from "./contract";
import { questionOf } from "./target";

/** A run as a file: everything as JSON, or its scores as CSV. */
export const runFile = (file: RunExport, format: RunExportQuery["format"] = "json"): Response =>
  format === "csv"
    ? download(toCsv(file), "text/csv", `${file.run.id}.csv`)
    : download(`${JSON.stringify(file)}\n`, "application/json", `${file.run.id}.json`);

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
  "reason",
];

/** A line for each score of a run: what a person looks through in a spreadsheet. */
const toCsv = ({ results }: RunExport): string =>
  [COLUMNS, ...results.flatMap(toLines)]
    .map((cells) => csvRecord(cells.map((cell) => guardText(String(cell ?? "")))))
    .join("");

const toLines = ({ sample, result }: RunExport["results"][number]): unknown[][] => {
  const { id, sample_key: key, repeat, output, passed, failure } = result;
  const common = [id, key, repeat, questionOf(sample.input), output?.text, passed, failure];
  if (result.scores.length === 0) return [[...common, ...Array.from({ length: COLUMNS.length - common.length })]];
  return result.scores.map(({ evaluator, metric, state, value, passed: isPassed, shadow, reason }) => [
    ...common,
    evaluator,
    metric,
    state,
    value,
    isPassed,
    shadow,
    reason,
  ]);
};
