import { compareMeasured } from "../../gateway/rag/quality/compare";
import type { IndexCalibration, VersionComparison } from "../../gateway/rag/quality/contract";
import { meanShare } from "../../gateway/rag/quality/metrics";
import { bestOutcome, thresholdCurve } from "../../gateway/rag/quality/threshold";

/* Made-up measurements of an index, computed as the service does. */

const spread = (from: number, to: number, n: number): number[] =>
  Array.from({ length: n }, (_, at) => from + ((to - from) * at) / (n - 1));

export const sampleCalibration = (changes: Partial<IndexCalibration> = {}): IndexCalibration => {
  const curve = thresholdCurve({ answerable: spread(0.31, 0.97, 60), unanswerable: spread(0.05, 0.52, 40) });
  const mean = (values: number[]) => meanShare(values);
  return {
    answerable: 60,
    unanswerable: 40,
    recall_at_k: mean(spread(0, 1, 60).map((at) => Number(at > 0.1))),
    mrr: mean(spread(0.4, 1, 60)),
    ndcg_at_k: mean(spread(0.5, 1, 60)),
    k: 5,
    score: "vector",
    curve,
    suggested: bestOutcome(curve),
    ...changes,
  };
};

export const sampleComparison = (): VersionComparison => {
  const metrics = (value: number) => ({ ndcg_at_k: value, recall_at_k: Number(value > 0), mrr: value });
  const measured = spread(0, 0.9, 40).map((before, position) => ({
    position,
    question:
      position === 39
        ? "May a trainee who started in September carry days over, and who has to agree before the end of March?"
        : `How is shift ${position + 1} paid on a public holiday?`,
    a: metrics(before),
    b: metrics(position % 9 === 0 ? before / 2 : Math.min(1, before + 0.25)),
  }));
  return { ...compareMeasured({ a: 1, b: 2, k: 5 }, measured), left_out: 3 };
};
