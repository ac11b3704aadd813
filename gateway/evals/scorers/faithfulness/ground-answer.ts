import type { Claim } from "../../contract";
import type { ScoredAnswer } from "../../scored-answer";
import type { Span } from "../../statistics/spans";
import { readSplitWords } from "../text/negation";
import { readAnswer } from "./claims";
import { sharesOf } from "./evidence";
import { scoreRead } from "./score-faithfulness";
import type { Source } from "./source";
import { weightOf } from "./word-support";

/** By context: the span of its sentence that is most similar to a text; null if none has a word of it. */
type Places = (Span | null)[];

interface GroundedClaim extends Claim {
  places: Places;
}

/** The claims of an answer with their verdicts, and where the contexts support them. */
export interface GroundedAnswer {
  claims: GroundedClaim[];
  /** Where the contexts are closest to the question, for sentences that make no claim ("Yes [1]."). */
  questionPlaces: Places;
}

/**
 * Weight of a passage's similarity to the question, which decides between passages that contain the same words of a
 * claim.
 */
const BY_QUESTION = 0.25;

const placesOf = (shares: ReadonlyMap<number, number>, source: Source, contexts: number): Places => {
  const best = new Map<number, { share: number; span: Span | null }>();
  for (const [passage, share] of [...shares].sort(([a], [b]) => a - b)) {
    const { context, span } = source.passages[passage] ?? { context: -1, span: null };
    if (share > (best.get(context)?.share ?? 0)) best.set(context, { share, span });
  }
  return Array.from({ length: contexts }, (_, context) => best.get(context)?.span ?? null);
};

/** Scores the claims of an answer, and finds the sentence of each context that is closest to each claim. */
export const groundAnswer = (answer: ScoredAnswer): GroundedAnswer => {
  const read = readAnswer(answer);
  const { source } = read;
  const words = readSplitWords(answer.question ?? "");
  const ids = words.map(({ stem }) => source.idOf.get(stem) ?? -1);
  const weights = words.map((_, at) => weightOf(words, at, ids[at] ?? -1, { source }));
  const byQuestion = sharesOf(ids, weights, source);
  const claims = scoreRead(answer, read).claims.map((claim, at) => {
    const { ids: own = [], weights: ownWeights = [] } = read.claims[at]?.evidence ?? {};
    const shares = sharesOf(own, ownWeights, source);
    for (const [passage, share] of shares) shares.set(passage, share + BY_QUESTION * (byQuestion.get(passage) ?? 0));
    return { ...claim, places: placesOf(shares, source, answer.contexts.length) };
  });
  return { claims, questionPlaces: placesOf(byQuestion, source, answer.contexts.length) };
};
