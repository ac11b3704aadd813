import { answerQuestions } from "../../../lib/worker-client";
import { scoreExact } from "../scorers/exact-evaluator";
import { groundAnswer } from "../scorers/faithfulness/ground-answer";
import { claimSpans, scoreReference } from "../scorers/reference-evaluator";
import { checkSufficiency } from "../scorers/sufficiency/check-sufficiency";
import { scoreToolCalls } from "../scorers/tool-call-evaluator";
import type { Answer, Question } from "./scoring-thread";

/*
 * Entry point of the Worker that scores answers. Long texts take seconds to compute, which must not block the gateway's
 * requests.
 */

const SCORERS = { reference: scoreReference, exact: scoreExact, tool_call: scoreToolCalls } as const;

answerQuestions<Question, Answer>((question) => {
  switch (question.kind) {
    case "claims":
      return { kind: "claims", claims: claimSpans(question.output) };
    case "ground":
      return { kind: "grounded", grounded: groundAnswer(question.answer) };
    case "sufficiency":
      return { kind: "sufficiency", warning: checkSufficiency(question.asked) };
    case "score":
      return { kind: "scores", scores: SCORERS[question.evaluator](question.answer) };
  }
});
