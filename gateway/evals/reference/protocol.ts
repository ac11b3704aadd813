import type { SentError } from "../../../lib/thread-errors";
import type { ClaimSpan } from "../judge/judge";
import type { JudgedAnswer } from "../judge/prompts";
import type { ScoredCriterion } from "../scored";

/*
 * The talk with the Worker that computes scores. Every message carries the id of its piece of work; several are under way
 * at once, and each asks for vectors one request at a time.
 */

export type ToThread =
  | { id: number; kind: "score"; answer: JudgedAnswer }
  | { id: number; kind: "claims"; output: string }
  | { id: number; kind: "vectors"; vectors: Float32Array[] }
  | { id: number; kind: "no_vectors"; error: SentError };

export type FromThread =
  /** Answered by `vectors` or `no_vectors`. */
  | { id: number; kind: "embed"; texts: string[] }
  | { id: number; kind: "scores"; scores: ReferenceScore[] }
  | { id: number; kind: "claims"; claims: ClaimSpan[] }
  | { id: number; kind: "failed"; error: SentError };

/** One criterion as the Worker scores it. */
export type ReferenceScore = Pick<ScoredCriterion, "metric" | "value" | "reason" | "claims">;
