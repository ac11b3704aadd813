import { WorkerClient } from "../../../lib/worker-client";
import type { Call } from "../../call";
import type { ClaimSpan } from "../judge/judge";
import type { ScoredAnswer, ScoredCriterion } from "../scored-answer";
import type { GroundedAnswer } from "../scorers/faithfulness/ground-answer";
import type { ReferenceScore } from "../scorers/reference-evaluator";
import type { AskedQuestion } from "../scorers/sufficiency/check-sufficiency";
import type { ReferenceScorer, WithoutModel } from "../scoring";

export type Question =
  | { kind: "score"; evaluator: WithoutModel; answer: ScoredAnswer }
  | { kind: "claims"; output: string }
  | { kind: "ground"; answer: ScoredAnswer }
  | { kind: "sufficiency"; asked: AskedQuestion };
export type Answer =
  | { kind: "scores"; scores: ReferenceScore[] }
  | { kind: "claims"; claims: ClaimSpan[] }
  | { kind: "grounded"; grounded: GroundedAnswer }
  | { kind: "sufficiency"; warning: string | null };

/** Scores answers in a Worker. The Worker starts with the first task, and again after a crash. */
export class ScoringThread implements ReferenceScorer {
  readonly #worker = new WorkerClient<Question, Answer>(
    "scores",
    () => new Worker(new URL("./worker.ts", import.meta.url), { smol: true }),
  );

  async score(
    { signal }: Pick<Call, "signal">,
    answer: ScoredAnswer,
    evaluator: WithoutModel,
  ): Promise<ScoredCriterion[]> {
    const reply = await this.#worker.ask({ kind: "score", evaluator, answer }, { signal });
    return reply.kind === "scores" ? reply.scores.map((score) => ({ ...score, votes: [], by: null, error: null })) : [];
  }

  async claimsOf(output: string): Promise<ClaimSpan[]> {
    const reply = await this.#worker.ask({ kind: "claims", output });
    return reply.kind === "claims" ? reply.claims : [];
  }

  /** The claims of an answer, and where its contexts support them. */
  async ground({ signal }: Pick<Call, "signal">, answer: ScoredAnswer): Promise<GroundedAnswer> {
    const reply = await this.#worker.ask({ kind: "ground", answer }, { signal });
    return reply.kind === "grounded" ? reply.grounded : { claims: [], questionPlaces: [] };
  }

  /** A warning for a question that passages may not answer, or null. */
  async checkSufficiency({ signal }: Pick<Call, "signal">, asked: AskedQuestion): Promise<string | null> {
    const reply = await this.#worker.ask({ kind: "sufficiency", asked }, { signal });
    return reply.kind === "sufficiency" ? reply.warning : null;
  }

  close(): void {
    this.#worker.close();
  }
}
