import type { Db } from "../../db/client";
import { findDataset } from "../../db/datasets";
import type { RunRow } from "../../db/runs";
import { AppError } from "../../lib/errors";
import { findRun, type RunReader } from "../evals/history";
import type { CompareQuestion, GateQuestion } from "./comparer";
import { type CompareQuery, type Comparison, MAX_RUNS } from "./contract";
import type { GateRequest, GateVerdict } from "./gate/contract";
import { checkRules } from "./gate/rule";

interface CompareDeps {
  db: Db;
  /** Compares runs that the caller may read, usually in a thread. */
  compare(question: CompareQuestion): Promise<Comparison>;
  gate(question: GateQuestion): Promise<GateVerdict>;
}

export type CompareService = ReturnType<typeof createCompare>;

export const createCompare = ({ db, compare, gate }: CompareDeps) => {
  /** A batch run that the reader may read. Throws not_found, and invalid_request for a single evaluation. */
  const findBatchRun = async (reader: RunReader, id: string, param: string): Promise<RunRow> => {
    const row = await findRun(db, id, reader);
    if (row.kind === "batch") return row;
    const message = `${id} is a single evaluation. Only batch runs can be compared or checked against a gate, because one sample can't show a difference. Start one with POST /v1/batch-evals.`;
    throw new AppError("invalid_request", message, { param });
  };

  /** The baseline run of a run's dataset. Throws invalid_request if there is none, or if it is the run itself. */
  const baselineOf = async ({ id, datasetId, pins }: RunRow, param: string): Promise<string> => {
    const dataset = datasetId === null ? undefined : await findDataset(db, datasetId);
    const baseline = dataset?.baselineRunId;
    if (baseline && baseline !== id) return baseline;
    const name = dataset?.name ?? (pins.dataset as { name: string } | null)?.name ?? "of this run";
    const problem = baseline
      ? `Run ${id} is the baseline of the dataset "${name}".`
      : `The dataset "${name}" has no baseline run.`;
    const remedy = "Name a baseline in the request, or set one with PATCH /v1/datasets/{id} and `baseline_run_id`.";
    throw new AppError("invalid_request", `${problem} ${remedy}`, { param });
  };

  return {
    /** Throws not_found, invalid_request. */
    async compare(reader: RunReader, { runs, ...query }: CompareQuery): Promise<Comparison> {
      const asked = runs.split(",").map((id) => id.trim());
      const ids = asked.filter((id) => id !== "");
      if (ids.length === 0 || ids.length > MAX_RUNS || new Set(ids).size < ids.length) {
        const message = `\`runs\` must contain two to ${MAX_RUNS} different run ids, separated by commas, or one id to compare with its dataset's baseline.`;
        throw new AppError("invalid_request", message, { param: "runs" });
      }
      const rows: RunRow[] = [];
      for (const id of ids) rows.push(await findBatchRun(reader, id, "runs"));
      const [first] = rows;
      const runIds = rows.length === 1 && first ? [await baselineOf(first, "runs"), first.id] : ids;
      if (rows.length === 1) await findBatchRun(reader, runIds[0] ?? "", "runs");
      return compare({ ...query, runIds });
    },

    /** Throws not_found, invalid_request, and conflict for a run that hasn't ended. */
    async gate(reader: RunReader, id: string, { rules, baseline }: GateRequest): Promise<GateVerdict> {
      checkRules(rules);
      const run = await findBatchRun(reader, id, "id");
      if (run.endedAt === null) {
        const { done = 0, total = 0 } = run.progress ?? {};
        const message = `This run is ${run.state}: ${done} of ${total} results. Check it against a gate when it has ended.`;
        throw new AppError("conflict", message);
      }
      const needsBaseline = rules.some(({ max_regression }) => max_regression !== undefined);
      const baselineId = needsBaseline ? (baseline ?? (await baselineOf(run, "baseline"))) : null;
      if (baselineId !== null) await findBatchRun(reader, baselineId, "baseline");
      return gate({ runId: id, baselineId, rules });
    },
  };
};
