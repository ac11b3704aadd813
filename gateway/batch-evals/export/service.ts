import type { ResultFilter } from "../../../db/batch-results";
import { countResults } from "../../../db/exported-results";
import { findRun, type RunRow } from "../../../db/runs";
import { AppError } from "../../../lib/errors";
import { inPieces } from "../../datasets/writers";
import type { RunPins } from "../../evals/contract";
import { completeResults, type RunReader } from "../../evals/history";
import { createRunReader } from "../../evals/summary";
import { inRunOrder } from "../../evals/verdict";
import type { ExportQuery } from "../contract";
import { columnsOf, type TableRow, toTableRow } from "./columns";
import { writeCsv } from "./csv";
import { pagesOfRows, type ScoredRow, scoredRows } from "./exported-rows";
import { type JunitCase, writeJunit } from "./junit";
import { writeParquet } from "./parquet";
import { type RunReport, reportSamples } from "./report";
import { toCase } from "./result-cases";
import { type BundleDeps, bundleOf } from "./run-bundle";
import { scoreKindsOf } from "./score-kinds";

/** A file that is written while the results are read. */
interface ExportedFile {
  name: string;
  mediaType: string;
  content: string | AsyncGenerator<string | Uint8Array>;
}

/** Renders a report as a whole HTML document. */
export type RenderReport = (report: RunReport) => Promise<string>;

export interface BatchExports {
  /** A run as a file. Throws not_found; for a bundle, also invalid_request for a filter, and conflict for an open run. */
  file(reader: RunReader, id: string, query: ExportQuery, render: RenderReport): Promise<ExportedFile>;
}

type Format = NonNullable<ExportQuery["format"]>;

const FILES: Readonly<Record<Format, { ending: string; mediaType: string }>> = {
  jsonl: { ending: "jsonl", mediaType: "application/jsonl" },
  csv: { ending: "csv", mediaType: "text/csv" },
  parquet: { ending: "parquet", mediaType: "application/vnd.apache.parquet" },
  junit: { ending: "xml", mediaType: "application/xml" },
  html: { ending: "html", mediaType: "text/html" },
  bundle: { ending: "tar.gz", mediaType: "application/gzip" },
};

/** The media types of all formats. */
export const EXPORT_TYPES = Object.values(FILES).map(({ mediaType }) => mediaType);

export const createBatchExports = (deps: BundleDeps): BatchExports => {
  const { db, now = () => new Date() } = deps;
  const readRun = createRunReader(db, deps.computeFigures);

  const find = async ({ allowedIndexes }: RunReader, id: string): Promise<RunRow> => {
    const row = await findRun(db, id, allowedIndexes);
    if (row?.kind === "batch") return row;
    throw new AppError("not_found", `Batch run ${id} not found. GET /v1/batch-evals lists the runs.`, { param: "id" });
  };

  async function* jsonLines(run: RunRow, filter: ResultFilter): AsyncGenerator<string> {
    for await (const rows of pagesOfRows(db, run.id, filter)) {
      for (const result of await completeResults(db, rows, run)) yield `${JSON.stringify(result)}\n`;
    }
  }

  async function* mapped<T>(run: RunRow, filter: ResultFilter, toItem: (row: ScoredRow) => T): AsyncGenerator<T> {
    for await (const row of scoredRows(db, run.id, filter)) yield toItem(row);
  }

  const tableOf = async (run: RunRow, filter: ResultFilter) => {
    const kinds = inRunOrder(await scoreKindsOf(db, run), run.pins);
    const rows: AsyncGenerator<TableRow> = mapped(run, filter, (row) => toTableRow(row, run.pins));
    return { columns: columnsOf(kinds), rows };
  };

  const junitOf = async (run: RunRow, filter: ResultFilter) => {
    const pins = run.pins as unknown as RunPins;
    const { total, failed, errors, undecided, totalMs } = await countResults(db, run.id, filter);
    const cases: AsyncGenerator<JunitCase> = mapped(run, filter, (row) => toCase(row, pins));
    const suite = {
      name: run.name,
      startedAt: (run.startedAt ?? run.createdAt).toISOString(),
      ...{ tests: total, failures: failed, errors, skipped: undecided, seconds: totalMs / 1000 },
      properties: factsOf(run),
    };
    return writeJunit(suite, cases);
  };

  const reportOf = async (run: RunRow, filter: ResultFilter): Promise<RunReport> => {
    return { run: await readRun(run, { isFinal: true }), ...(await reportSamples(db, run, filter)), exportedAt: now() };
  };

  const contentOf = async (run: RunRow, format: Exclude<Format, "html">, filter: ResultFilter) => {
    if (format === "bundle") {
      refuseFilter(filter);
      return bundleOf(deps, run);
    }
    if (format === "csv" || format === "parquet") {
      const { columns, rows } = await tableOf(run, filter);
      return format === "csv" ? inPieces(writeCsv(columns, rows)) : writeParquet(columns, rows, factsOf(run));
    }
    return inPieces(format === "junit" ? await junitOf(run, filter) : jsonLines(run, filter));
  };

  return {
    async file(reader, id, { format = "jsonl", passed, ...rest }, render) {
      const run = await find(reader, id);
      const filter = { ...rest, ...(passed !== undefined && { passed: passed === "true" }) };
      const { ending, mediaType } = FILES[format];
      const content =
        format === "html" ? await render(await reportOf(run, filter)) : await contentOf(run, format, filter);
      return { name: `${run.id}.${ending}`, mediaType, content };
    },
  };
};

/** Figures cover the whole run, so a filtered bundle could not be verified. */
const refuseFilter = (filter: ResultFilter): void => {
  const [param] = Object.keys(filter);
  if (param === undefined) return;
  throw new AppError(
    "invalid_request",
    `A bundle contains all results of the run, so it doesn't accept \`${param}\`.`,
    {
      param,
    },
  );
};

/** The facts that identify a run, for a file's metadata. */
const factsOf = ({ id, state, pins }: RunRow): Record<string, string> => {
  const {
    dataset,
    target,
    model_revision: revision,
    evaluators,
    seed,
    repeats,
    code_version: code,
  } = pins as unknown as RunPins;
  return {
    run_id: id,
    state,
    ...(dataset && { dataset: `${dataset.name}, revision ${dataset.revision}`, dataset_hash: dataset.hash }),
    target: target.kind,
    ...(target.model !== undefined && { model: target.model }),
    ...(revision !== null && { model_revision: revision }),
    evaluators: evaluators.map(({ evaluator }) => evaluator).join(", "),
    seed: String(seed),
    repeats: String(repeats),
    code_version: code,
  };
};
