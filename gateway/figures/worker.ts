import { type DbOptions, openReads } from "../../db/client";
import { answerQuestions } from "../../lib/worker-client";
import { Comparer } from "../compare/comparer";
import { findRun } from "../evals/history";
import { computeFigures } from "../evals/summary";
import type { Answer, Question } from "./figures-thread";

/* Entry point of the Worker that computes figures. Its last argument is JSON with the database to read. */

const [options = "{}"] = process.argv.slice(-1);
const reads = openReads(JSON.parse(options) as DbOptions);
const comparer = reads.then((db) => new Comparer(db));

answerQuestions<Question, Answer>(async (question) => {
  const db = await reads;
  if (question.kind === "figures")
    return computeFigures(db, await findRun(db, question.runId, { allowedIndexes: undefined }));
  return question.kind === "compare" ? (await comparer).compare(question) : (await comparer).gate(question);
});
