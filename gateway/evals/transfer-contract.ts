import { type Static, Type } from "@sinclair/typebox";
import { Id, Nullable, OneOf, Strict } from "../contract";
import { NewSample } from "../datasets/contract";
import { Label, Output, Run, RunFigures, RunInfo, SampleResult } from "./contract";

/** Maximum number of results in an export. The whole file is held in memory. */
export const MAX_EXPORTED = 10_000;

export const ExportedLabel = Type.Object(Type.Omit(Label, ["labelled_by_name"]).properties);

const { figures_stale, cost } = Run.properties;
const figures = Type.Partial(Type.Object({ ...RunFigures.properties, figures_stale, cost }));

/** A result without the fields of its sample, and without those that an import recomputes. */
export const ExportedResult = Strict({
  ...Type.Omit(SampleResult, [
    ...(["input", "references", "contexts", "group", "tags", "expected_tool_calls"] as const),
    ...(["output", "verdicts", "labels"] as const),
  ]).properties,
  output: Nullable(
    Type.Object({
      ...Output.properties,
      contexts: Nullable(Type.Array(Type.String()), { description: "null: those of the sample" }),
    }),
  ),
  labels: Type.Array(ExportedLabel),
});

/**
 * A run with its results, scores and labels, to be imported on another instance, which recomputes verdicts and
 * statistics.
 */
export const RunExport = Strict(
  {
    version: Type.Literal(1),
    run: Type.Object({ ...RunInfo.properties, ...figures.properties }),
    results: Type.Array(Strict({ sample: NewSample, result: ExportedResult }), { maxItems: MAX_EXPORTED }),
  },
  { title: "RunExport" },
);
export type RunExport = Static<typeof RunExport>;

export const RunImport = Type.Object(
  {
    run_id: Id("run"),
    imported: Type.Boolean({ description: "false: this instance already has the run, and nothing was changed" }),
  },
  { title: "RunImport", examples: [{ run_id: "run_01jd8x1m9k2n3p4q5r6s7t8v9w", imported: true }] },
);
export type RunImport = Static<typeof RunImport>;

export const RunExportQuery = Type.Object({
  format: Type.Optional(
    OneOf(["json", "csv"], {
      default: "json",
      description: "json: everything, for POST /v1/evals/import; csv: a row per score, safe for spreadsheets",
    }),
  ),
});
export type RunExportQuery = Static<typeof RunExportQuery>;
