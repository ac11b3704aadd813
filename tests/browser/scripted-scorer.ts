import { scoreToolCalls } from "../../gateway/evals/scorers/tool-call-evaluator";
import type { ReferenceScorer } from "../../gateway/evals/scoring";

const VERDICTS = [
  { verdict: "supported", score: 0.94, context: 0 },
  { verdict: "partly", score: 0.55, context: 0 },
  { verdict: "unsupported", score: 0.04, context: null },
] as const;

/** Fixed verdicts, so that pages don't change: the first sentence is supported, the second partly, the others not. */
export const SCRIPTED_SCORER: ReferenceScorer = {
  async claimsOf(output) {
    return [...output.matchAll(/[^.!?]+[.!?]*/g)].map(({ 0: text, index }) => {
      const start = index + text.length - text.trimStart().length;
      return { text: text.trim(), start, end: start + text.trim().length };
    });
  },

  async score(_, answer, kind) {
    const byRule = { votes: [], by: null, error: null };
    if (kind === "tool_call") return scoreToolCalls(answer).map((score) => ({ ...score, ...byRule }));
    const { references, contexts, output } = answer;
    const spans = await SCRIPTED_SCORER.claimsOf(output);
    const claims = spans.map((span, index) => {
      const judged = { ...span, ...VERDICTS[index === 0 ? 0 : index === 1 ? 1 : 2] };
      const { start, end, verdict } = judged;
      return { ...judged, unsupported: verdict === "supported" ? [] : [{ start, end, note: "No context says so." }] };
    });
    const share = claims.filter(({ verdict }) => verdict === "unsupported").length / Math.max(1, claims.length);
    const isRight = references.some((reference) => output.includes(reference));
    const common = { votes: [], by: { model: "all-minilm-l6-v2", modelRevision: "bd5dc15885e3" }, error: null };
    const scores = [];
    if (references.length > 0) {
      const reason = isRight ? "The answer says what a reference says." : "No reference is in the answer.";
      scores.push({ metric: "correctness", value: isRight ? 0.97 : 0.08, reason, claims: [], ...common });
    }
    if (contexts.length > 0) {
      const reason = "The contexts support a part of it.";
      scores.push({ metric: "faithfulness", value: 1 - share, reason, claims, ...common });
      scores.push({ metric: "hallucination", value: share, reason, claims, ...common });
    }
    return scores;
  },
};
