import type { ResultFilter } from "../../../db/batch-results";
import type { Reads } from "../../../db/client";
import { countResults, findResults, listWorstIds } from "../../../db/exported-results";
import type { RunRow } from "../../../db/runs";
import { blocksOf } from "../../../lib/blocks";
import { textOfInput } from "../../datasets/content";
import { answerText } from "../../evals/answer-text";
import type { Run, SampleResult } from "../../evals/contract";
import { completeResults } from "../../evals/history";
import { decidingScores, inRunOrder } from "../../evals/verdict";

/** Limits on a report, so that browsers open it quickly however large the run is. */
export const REPORT_LIMITS = { samples: 200, text: 3000, list: 5, listText: 1000, reason: 1000 };

/** Maximum number of errors among the samples. Otherwise, errors could crowd out all wrong answers if a node was down. */
const MAX_ERRORS = 50;
/** Results in memory at a time. */
const PAGE = 10;

/** The beginning of a text, and the number of omitted characters. */
export interface Clipped {
  text: string;
  left: number;
}

export interface ReportSample {
  key: string;
  repeat: number;
  passed: boolean | null;
  failure: SampleResult["failure"];
  error: string | null;
  input: Clipped;
  output: Clipped | null;
  references: Clipped[];
  contexts: Clipped[];
  /** Lists that are longer. */
  moreReferences: number;
  moreContexts: number;
  scores: { metric: string; evaluator: string; value: number | null; passed: boolean | null; reason: Clipped }[];
}

/** The content of an HTML report. */
export interface RunReport {
  run: Run;
  samples: ReportSample[];
  /** The results that the samples are from: those that did not pass, or those that match the filter. */
  from: { count: number; filter: ResultFilter | null };
  exportedAt: Date;
}

/** Reads the samples of a report: the given results worst first, or errors and then the worst results that didn't pass. */
export const reportSamples = async (
  db: Reads,
  run: RunRow,
  filter: ResultFilter,
): Promise<Pick<RunReport, "samples" | "from">> => {
  const isFiltered = Object.keys(filter).length > 0;
  const read = (part: ResultFilter, limit: number) => worstSamples(db, run, part, limit);
  const { total, failed: wrong, errors: undecided } = await countResults(db, run.id, filter);
  if (isFiltered) {
    return { samples: await read(filter, REPORT_LIMITS.samples), from: { count: total, filter } };
  }
  const errors = await read({ state: "error" }, MAX_ERRORS);
  const unscored = await read({ failure: "judge_error" }, MAX_ERRORS);
  const failed = await read({ passed: false }, REPORT_LIMITS.samples - errors.length - unscored.length);
  return {
    samples: [...failed, ...unscored, ...errors],
    from: { count: wrong + undecided, filter: null },
  };
};

const worstSamples = async (db: Reads, run: RunRow, filter: ResultFilter, limit: number): Promise<ReportSample[]> => {
  const ids = await listWorstIds(db, run.id, filter, limit);
  const samples: ReportSample[] = [];
  for (const some of blocksOf(ids, PAGE)) {
    const found = await completeResults(db, await findResults(db, some), run);
    samples.push(...found.map((result) => toSample(result, run)));
  }
  return samples;
};

const clip = (text: string, max: number): Clipped => {
  // Not between the halves of a surrogate pair.
  const end = text.length > max && /[\ud800-\udbff]/.test(text.charAt(max - 1)) ? max - 1 : max;
  return { text: text.slice(0, end).toWellFormed(), left: Math.max(0, text.length - end) };
};

const clipAll = (texts: readonly string[]): Clipped[] =>
  texts.slice(0, REPORT_LIMITS.list).map((text) => clip(text, REPORT_LIMITS.listText));

const toSample = (result: SampleResult, { pins }: RunRow): ReportSample => {
  const { sample_key: key, repeat, passed, failure, error, input, output, references, scores } = result;
  const contexts = output?.contexts ?? result.contexts;
  return {
    ...{ key, repeat, passed, failure },
    error: error?.message ?? null,
    input: clip(textOfInput(input), REPORT_LIMITS.text),
    output: output && clip(answerText(output), REPORT_LIMITS.text),
    references: clipAll(references),
    contexts: clipAll(contexts),
    moreReferences: Math.max(0, references.length - REPORT_LIMITS.list),
    moreContexts: Math.max(0, contexts.length - REPORT_LIMITS.list),
    scores: inRunOrder(decidingScores(scores), pins).map(({ reason, error: why, ...score }) => ({
      ...{ metric: score.metric, evaluator: score.evaluator, value: score.value, passed: score.passed },
      reason: clip(reason ?? why?.message ?? "", REPORT_LIMITS.reason),
    })),
  };
};
