import type { GroundedAnswer } from "../../evals/scorers/faithfulness/ground-answer";
import type { Grounding } from "../contract";
import { chunkAt } from "./citations";
import type { Context } from "./merge";

/** The evaluator whose scorer grounds answers. */
const EVALUATOR = "reference@1";

/** The chunk that supports a claim best; null if no context has a close sentence. */
const chunkOf = ({ context, places }: GroundedAnswer["claims"][number], contexts: readonly Context[]) => {
  const [best, place] = [contexts[context ?? -1], places[context ?? -1]];
  return best && place ? chunkAt(best, place).chunk.id : null;
};

/** How well the contexts support each claim of an answer. A claim is a sentence or list item. */
export const toGrounding = ({ claims }: Pick<GroundedAnswer, "claims">, contexts: readonly Context[]): Grounding => ({
  supported: claims.length > 0 ? claims.filter(({ verdict }) => verdict === "supported").length / claims.length : null,
  evaluator: EVALUATOR,
  sentences: claims.map((claim) => ({
    text: claim.text,
    answer_start: claim.start,
    answer_end: claim.end,
    verdict: claim.verdict,
    score: claim.score,
    chunk_id: chunkOf(claim, contexts),
  })),
});
