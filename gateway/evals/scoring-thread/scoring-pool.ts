import type { Call } from "../../call";
import type { ScoredAnswer } from "../scored-answer";
import type { ReferenceScorer, WithoutModel } from "../scoring";
import { ScoringThread } from "./scoring-thread";

/** Scores answers in several threads. Each answer goes to the thread with the fewest waiting answers. */
export class ScoringPool implements ReferenceScorer {
  readonly #threads: { thread: ScoringThread; waiting: number }[];

  constructor(size: number) {
    this.#threads = Array.from({ length: size }, () => ({ thread: new ScoringThread(), waiting: 0 }));
  }

  score(call: Pick<Call, "signal">, answer: ScoredAnswer, evaluator: WithoutModel) {
    return this.#ask((thread) => thread.score(call, answer, evaluator));
  }

  claimsOf(output: string) {
    return this.#ask((thread) => thread.claimsOf(output));
  }

  close(): void {
    for (const { thread } of this.#threads) thread.close();
  }

  async #ask<T>(ask: (thread: ScoringThread) => Promise<T>): Promise<T> {
    const chosen = this.#threads.reduce((least, each) => (each.waiting < least.waiting ? each : least));
    chosen.waiting++;
    try {
      return await ask(chosen.thread);
    } finally {
      chosen.waiting--;
    }
  }
}
