import { AppError } from "../../../lib/errors";
import { inOrder } from "../../../lib/in-order";
import type { Call } from "../../call";
import type { CalibrateIndex, IndexCalibration, LabelledQuestion } from "../indexes/contract";
import { DEFAULT_RETRIEVAL } from "../indexes/defaults";
import { compareScore, findHits, type Hit, type Indexes, type RetrieveDeps, settingsOf } from "../query/retrieve";
import { meanShare } from "./mean-share";
import { ndcgAt, recallAt, reciprocalRank } from "./metrics";
import { bestOutcome, thresholdCurve } from "./threshold";

/** Number of questions searched in parallel: enough to keep the embedding model busy. */
const PARALLEL = 8;

interface CalibrationDeps extends Pick<RetrieveDeps, "embedder" | "search"> {
  indexes: Indexes;
}

/** Measures retrieval on labelled questions. */
export const createCalibration = (deps: CalibrationDeps) => ({
  /**
   * Searches every question in a version of the index, with these settings, and suggests the threshold with the best
   * balanced accuracy. Changes nothing. Throws not_found, conflict if the version is not ready, and what `embedQuery`
   * throws. Also throws unavailable if the search is degraded.
   */
  async calibrate(
    call: Call,
    idOrName: string,
    { questions, retrieval, version }: CalibrateIndex,
  ): Promise<IndexCalibration> {
    const index = await deps.indexes.open(call.principal, idOrName, version);
    const settings = settingsOf(index, { retrieval });
    const k = settings.top_k;
    const threshold = settings.threshold ?? DEFAULT_RETRIEVAL.threshold;
    const searched = await inOrder(questions, PARALLEL, async (asked) => {
      const found = await findHits(deps, call, index, settings, asked);
      if (found.degraded) throw degraded();
      const compared = compareScore({ threshold }, found);
      return { ranked: rankedIds(asked, found.hits.slice(0, k)), relevant: new Set(asked.relevant), compared };
    });
    const answerable = searched.filter(({ relevant }) => relevant.size > 0);
    const unanswerable = searched.filter(({ relevant }) => relevant.size === 0);
    const hasScore = searched.every(({ compared }) => compared !== null);
    const bestOf = (some: typeof searched) => some.map(({ compared }) => compared?.best ?? null);
    const curve = hasScore
      ? thresholdCurve({ answerable: bestOf(answerable), unanswerable: bestOf(unanswerable) })
      : [];
    const mean = (metric: typeof recallAt) =>
      meanShare(answerable.map(({ ranked, relevant }) => metric(ranked, relevant, k)));
    return {
      answerable: answerable.length,
      unanswerable: unanswerable.length,
      recall_at_k: mean(recallAt),
      mrr: mean(reciprocalRank),
      ndcg_at_k: mean(ndcgAt),
      k,
      score: hasScore ? threshold.score : null,
      curve,
      suggested: bestOutcome(curve),
    };
  },
});

const degraded = (): AppError =>
  new AppError("unavailable", "The vector store is down or lacks vectors of this index. Try again later.");

export type Calibration = ReturnType<typeof createCalibration>;

/** Ids to compare with the labels, best first, each once: document ids if any label is one, except for labelled chunks. */
const rankedIds = ({ relevant }: LabelledQuestion, hits: readonly Hit[]): string[] => {
  const namesDocuments = relevant.some((id) => !id.startsWith("chunk_"));
  const ids = hits.map(({ id, document }) => (namesDocuments && !relevant.includes(id) ? document : id));
  return [...new Set(ids)];
};
