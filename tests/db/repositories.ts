import type { Db } from "../../db/client";
import { accessSteps } from "./steps/access";
import { batchSteps } from "./steps/batch-evals";
import { batchFileSteps } from "./steps/batches";
import { datasetSteps } from "./steps/datasets";
import { evalSteps } from "./steps/evals";
import { jobSteps } from "./steps/jobs";
import { limitSteps } from "./steps/limits";
import { metricSteps } from "./steps/metrics";
import { ragSteps } from "./steps/rag";
import { requestSteps } from "./steps/requests";
import { responseSteps } from "./steps/responses";
import type { Step } from "./steps/step";
import { webhookSteps } from "./steps/webhooks";

const GROUPS = [accessSteps, datasetSteps, evalSteps, batchSteps, jobSteps].concat([
  batchFileSteps,
  limitSteps,
  metricSteps,
  ragSteps,
  requestSteps,
  responseSteps,
  webhookSteps,
]);

/** Every repository function that writes, ordered so that each finds its prerequisites. */
export const STEPS: readonly Step[] = GROUPS.flatMap(({ steps }) => steps);

/** The rows of `tag`. */
export const stateOf = (db: Db, tag: string): Promise<object[]> =>
  Promise.all(GROUPS.map((group) => group.stateOf(db, tag)));

/** The expected `stateOf` after all steps. */
export const finalState = (tag: string): object[] => GROUPS.map((group) => group.finalState(tag));
