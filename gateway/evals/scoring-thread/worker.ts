import { answerQuestions } from "../../../lib/worker-client";
import { claimSpans, scoreReference } from "../scorers/reference-evaluator";
import type { Answer, Question } from "./scoring-thread";

/* Entry of the Worker that scores. Long texts take seconds to compute, which must not block the gateway's requests. */

answerQuestions<Question, Answer>((question) =>
  question.kind === "claims"
    ? { kind: "claims", claims: claimSpans(question.output) }
    : { kind: "scores", scores: scoreReference(question.answer) },
);
