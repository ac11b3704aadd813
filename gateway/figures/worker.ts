import { type DbOptions, openReads } from "../../db/client";
import { Mutex } from "../../lib/mutex";
import { answerQuestions } from "../../lib/worker-client";
import { Comparer } from "../compare/comparer";
import { findRun } from "../evals/history";
import { computeFigures } from "../evals/summary";
import type { Answer, Question } from "./figures-thread";

/* Entry point of the Worker that computes figures. Its last argument is JSON with the database to read. */

const [options = "{}"] = process.argv.slice(-1);
const reads = openReads(JSON.parse(options) as DbOptions);
const comparer = reads.then((db) => new Comparer(db));
/** Figures of several runs at the same time would take several times the memory. */
const oneRun = new Mutex();

/** Without this, the figures of 50,000 results leave 300 MiB of garbage in the process. The pause stops only this thread. */
const collectGarbage = (): void => Bun.gc(true);

const answer = async (question: Question): Promise<Answer> => {
  const db = await reads;
  if (question.kind === "figures") {
    const { runId } = question;
    return oneRun.run(async () =>
      computeFigures(db, await findRun(db, runId, { allowedIndexes: undefined }), collectGarbage),
    );
  }
  return question.kind === "compare" ? (await comparer).compare(question) : (await comparer).gate(question);
};

answerQuestions<Question, Answer>((question) => answer(question).finally(collectGarbage));
