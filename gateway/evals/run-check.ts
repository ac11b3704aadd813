import { AppError } from "../../lib/errors";
import type { RunExport, Score } from "./contract";
import { criteriaOf } from "./rubric";

const ENDED = new Set(["completed", "failed", "cancelled"]);

/** Throws invalid_request, naming the place, for an exported run that is inconsistent. */
export const checkRunFile = ({ run, results }: RunExport): void => {
  if (!ENDED.has(run.state) || run.ended_at === null) {
    throw wrong("run.state", `The run in this file has not ended: it is ${run.state}.`);
  }
  if (run.pins.rubric) within("run.pins.rubric", () => criteriaOf(run.pins.rubric ?? { criteria: [] }));
  const places = { results: new Set<string>(), samples: new Set<string>(), labels: new Set<string>() };
  const once = (known: Set<string>, id: string, place: string) => {
    if (known.has(id)) throw wrong(place, `${id} occurs twice.`);
    known.add(id);
  };
  for (const [index, { result }] of results.entries()) {
    const place = `results.${index}.result`;
    once(places.results, result.id, `${place}.id`);
    once(places.samples, `${result.sample_key}, repeat ${result.repeat},`, `${place}.sample_key`);
    for (const { id } of result.labels) once(places.labels, id, `${place}.labels`);
    if (result.state !== "done" && result.state !== "error") {
      throw wrong(`${place}.state`, `The run has ended, so this result can't be ${result.state}.`);
    }
    for (const [number, score] of result.scores.entries()) checkScore(score, `${place}.scores.${number}`);
  }
};

const checkScore = ({ metric, criterion, state, value }: Score, place: string): void => {
  within(`${place}.criterion`, () => criteriaOf({ criteria: [criterion] }));
  if (metric !== criterion.name)
    throw wrong(`${place}.metric`, `The score's metric is ${metric}, but its criterion is ${criterion.name}.`);
  if ((state === "scored") !== (value !== null)) throw wrong(place, "A score has a value or an error, not both.");
  const { min, max } = criterion.scale;
  if (value !== null && (value < min || value > max)) {
    throw wrong(`${place}.value`, `The value ${value} is not on its scale, ${min} to ${max}.`);
  }
};

const within = (place: string, check: () => unknown): void => {
  try {
    check();
  } catch (thrown) {
    throw thrown instanceof AppError ? wrong(place, thrown.message) : thrown;
  }
};

const wrong = (param: string, message: string): AppError => new AppError("invalid_request", message, { param });
