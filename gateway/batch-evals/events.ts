import { listEndedResults } from "../../db/batch-results";
import type { Db } from "../../db/client";
import type { RunRow } from "../../db/runs";
import type { RunReader } from "../evals/history";
import { toRunInfo } from "../evals/wire";
import type { BatchEval, BatchEvalEvent } from "./contract";

/** How often a run is checked for changes. */
const POLL_MS = 500;
/** Ended results read per statement. */
const RESULTS = 200;

/** An event, and the `sequence` of the last result that it includes. */
export interface NumberedEvent {
  id: number;
  event: BatchEvalEvent;
}

interface EventOptions {
  /** The `id` of the last event that the client has; without one, only new events are sent. */
  after: number | undefined;
  /** Whether each ended result has an event. */
  hasSamples: boolean;
  signal: AbortSignal;
}

/** Follows a run: its state and progress, then every change until it ends. Throws not_found. */
export type BatchEvents = (
  reader: RunReader,
  id: string,
  options: EventOptions,
) => AsyncGenerator<NumberedEvent, void, undefined>;

interface EventDeps {
  db: Db;
  find(reader: RunReader, id: string): Promise<RunRow>;
  read(row: RunRow): Promise<BatchEval>;
  now(): Date;
}

const ENDED: ReadonlySet<RunRow["state"]> = new Set(["completed", "failed", "cancelled"]);

export const createEvents = ({ db, find, read, now }: EventDeps): BatchEvents =>
  async function* (reader, id, { after, hasSamples, signal }) {
    let known: Pick<RunRow, "state" | "changes"> | undefined;
    let sequence = after;
    while (!signal.aborted) {
      const row = await find(reader, id);
      sequence ??= row.progress?.sequence ?? 0;
      if (row.state !== known?.state) yield { id: sequence, event: { type: "state", run: toRunInfo(row) } };
      let ended = hasSamples ? await listEndedResults(db, id, sequence, RESULTS) : [];
      while (ended.length > 0 && !signal.aborted) {
        for (const { sequence: place, id: resultId, sampleKey, repeat, state, passed, failure } of ended) {
          sequence = place;
          yield { id: place, event: sampleEvent({ resultId, sampleKey, repeat, state, passed, failure }) };
        }
        ended = ended.length < RESULTS ? [] : await listEndedResults(db, id, sequence, RESULTS);
      }
      if (!hasSamples) sequence = row.progress?.sequence ?? sequence;
      const isEnded = ENDED.has(row.state);
      if (isEnded || row.changes !== known?.changes) {
        const run = await read(row);
        yield { id: sequence, event: isEnded ? { type: "done", run } : progressEvent(run, now()) };
      }
      if (isEnded) return;
      known = row;
      await Bun.sleep(POLL_MS);
    }
  };

type SampleEvent = Extract<BatchEvalEvent, { type: "sample" }>;

const sampleEvent = (result: {
  resultId: string;
  sampleKey: string;
  repeat: number;
  state: SampleEvent["state"];
  passed: boolean | null;
  failure: string | null;
}): SampleEvent => ({
  type: "sample",
  result_id: result.resultId,
  sample_key: result.sampleKey,
  repeat: result.repeat,
  state: result.state,
  passed: result.passed,
  failure: result.failure as SampleEvent["failure"],
});

const progressEvent = (run: BatchEval, at: Date): BatchEvalEvent => {
  const { progress, passed, verdict, statistics, failures, usage, waiting } = run;
  return { type: "progress", at: at.toISOString(), progress, passed, verdict, statistics, failures, usage, waiting };
};
