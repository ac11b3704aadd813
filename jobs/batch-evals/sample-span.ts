import type { ResultTask } from "../../db/batch-evals";
import type { ErrorKind } from "../../lib/errors";
import type { Span, Tracer } from "../../lib/tracing/tracer";
import type { TaskContext } from "../handler";
import type { Outcome } from "./run-sample";

interface TracedSample {
  run: { id: string };
  result: Pick<ResultTask, "id" | "repeat">;
  context: Pick<TaskContext, "traceparent">;
}

/**
 * Runs a sample in a trace of its own, linked to the task of its run, because a trace of a whole run would be too large
 * to read. Neither the sample nor its output is recorded.
 */
export const traceSample = async (
  tracer: Tracer | undefined,
  { run, result, context }: TracedSample,
  work: (traceparent?: string) => Promise<Outcome>,
): Promise<Outcome> => {
  if (!tracer) return work();
  const span = tracer.start("evaluate sample", {
    kind: "internal",
    linkedTo: context.traceparent,
    attributes: {
      "groundwire.run.id": run.id,
      "groundwire.result.id": result.id,
      "groundwire.sample.repeat": result.repeat,
    },
  });
  try {
    const outcome = await work(span.traceparent);
    describe(span, outcome);
    return outcome;
  } catch (thrown) {
    // The run was stopped or paused, so the sample runs again later.
    span.set({ "groundwire.sample.state": "stopped" });
    throw thrown;
  } finally {
    span.end();
  }
};

const describe = (span: Span, { state, passed, failure, attempts, scores, error }: Outcome): void => {
  for (const { metric, value, passed: hasPassed, evaluator } of scores) {
    span.event("gen_ai.evaluation.result", {
      "gen_ai.evaluation.name": metric,
      "gen_ai.evaluation.score.value": value ?? undefined,
      "gen_ai.evaluation.score.label": hasPassed == null ? undefined : hasPassed ? "pass" : "fail",
      "groundwire.evaluator": evaluator,
    });
  }
  span.set({
    "groundwire.sample.state": state,
    "groundwire.sample.passed": passed ?? undefined,
    "groundwire.sample.failure": failure ?? undefined,
    "groundwire.sample.attempts": attempts,
  });
  if (error) span.fail(error.code as ErrorKind);
};
