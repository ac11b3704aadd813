import { type DbOptions, openReads } from "../../../db/client";
import { answerQuestions } from "../../../lib/worker-client";
import type { RunFigures } from "../contract";
import { findRun } from "../history";
import { computeFigures } from "../summary";
import type { Question } from "./figures-thread";

/* Entry point of the Worker that computes figures. Its last argument is JSON with the database to read. */

const [options = "{}"] = process.argv.slice(-1);
const reads = openReads(JSON.parse(options) as DbOptions);

answerQuestions<Question, RunFigures>(async ({ runId }) => {
  const db = await reads;
  return computeFigures(db, await findRun(db, runId, { allowedIndexes: undefined }));
});
