import { appendAudit } from "../../db/audit";
import type { Db } from "../../db/client";
import * as store from "../../db/labels";
import { findResult, listScores } from "../../db/results";
import { findRun } from "../../db/runs";
import { AppError } from "../../lib/errors";
import { newId } from "../../lib/ids";
import { assertMayStore } from "../content-logging";
import type { PageQuery } from "../contract";
import type { Criterion, Label } from "../evals/contract";
import type { RunReader } from "../evals/history";
import { choicesOf, passes, valueOn } from "../evals/rubric";
import { criteriaOfScores } from "../evals/verdict";
import { toLabel, toScore } from "../evals/wire";
import type { Seal } from "../idempotency/service";
import { pageOf } from "../paging";
import type { Principal } from "../principal";
import type { AddLabel, LabelPage } from "./contract";

interface QueueQuery {
  metric: string;
  runId?: string;
  /** Only results older than this one: a result's id. */
  before?: string;
  limit: number;
}

/** Number of a run's disagreements that are offered for labelling. */
export const MAX_DISAGREEMENTS = 20;

export type LabelService = ReturnType<typeof createLabels>;

export const createLabels = ({ db, now = () => new Date() }: { db: Db; now?: () => Date }) => {
  /** The criteria used to score a result. Throws not_found, also for a result of an index that the reader may not use. */
  const findCriteria = async ({ allowedIndexes }: RunReader, resultId: string): Promise<Criterion[]> => {
    const result = await findResult(db, resultId);
    if (!result || !(await findRun(db, result.runId, allowedIndexes))) {
      throw new AppError("not_found", `Result ${resultId} not found.`, { param: "id" });
    }
    return criteriaOfScores((await listScores(db, [resultId])).map(toScore));
  };

  return {
    criteria: findCriteria,

    /**
     * Replaces the caller's earlier label for the same criterion. Throws not_found, invalid_request, and
     * insufficient_role for a comment if the key's content may not be stored.
     */
    async add(principal: Principal, resultId: string, added: AddLabel, seal: Seal): Promise<Label> {
      const { metric, value: given, failure = null, comment = null, blind = false } = added;
      if (comment) assertMayStore(principal, "comments", "Send the label without a comment.");
      const criteria = await findCriteria(principal, resultId);
      const criterion = criteria.find(({ name }) => name === metric);
      if (!criterion) {
        const names = criteria.map(({ name }) => name).join(", ");
        throw new AppError("invalid_request", `This result was not scored on "${metric}". Criteria: ${names}.`, {
          param: "metric",
        });
      }
      const value = valueOn(criterion, given);
      if (value === undefined) {
        throw new AppError("invalid_request", `value must be on the scale of ${metric}: ${scaleText(criterion)}.`, {
          param: "value",
        });
      }
      if (failure && passes(criterion, value)) {
        const message = `${metric} ${value} passes, so it can't have a failure kind. Leave out failure, or send a value that does not pass.`;
        throw new AppError("invalid_request", message, { param: "failure" });
      }
      const at = now();
      return db.write(async (tx) => {
        const held = await store.listLabels(tx, [resultId]);
        const isFirst = held.every((label) => label.metric !== metric || label.labelledBy !== principal.keyId);
        const row = {
          id: newId("label"),
          resultId,
          metric,
          value,
          failure,
          comment: comment || null,
          // Scores are shown after the first label, so a later one is never blind.
          blind: blind && isFirst,
          labelledBy: principal.keyId,
          createdAt: at,
        };
        await store.replaceLabel(tx, row);
        const detail = { metric, value };
        await appendAudit(tx, { at, actor: principal, action: "label.give", target: resultId, detail });
        const label = toLabel({ ...row, replacedAt: null, labelledByName: principal.keyName });
        await seal(tx, label);
        return label;
      });
    },

    /** All labels of a result, including replaced ones, oldest first. Throws not_found. */
    async list(reader: RunReader, resultId: string, { limit = 20, after }: PageQuery): Promise<LabelPage> {
      await findCriteria(reader, resultId);
      const rows = await store.listLabelHistory(db, resultId, { limit: limit + 1, after });
      return pageOf(rows, limit, toLabel, ({ id }) => id);
    },

    /**
     * The results of a run whose verdicts on a criterion are least certain, and whether the caller has labelled them:
     * evaluators or repeats disagree, or the score is near the threshold. The least certain come first, and their order
     * does not change when they are labelled.
     */
    disagreements: (principal: Principal, runId: string, metric: string) =>
      store.listDisagreements(db, {
        ...{ metric, runId, labelledBy: principal.keyId },
        ...{ allowed: principal.allowedIndexes, limit: MAX_DISAGREEMENTS },
      }),

    /** Ids of the results that the caller has not labelled for a criterion, newest first. */
    queue: (principal: Principal, query: QueueQuery): Promise<string[]> =>
      store.listUnlabelled(db, { ...query, labelledBy: principal.keyId, allowed: principal.allowedIndexes }),
  };
};

/** The scale for messages: "0, 0.3, 0.6, 0.9", "0 to 1", "0 to 100 in steps of 1". */
const scaleText = (criterion: Criterion): string => {
  const { min, max, step } = criterion.scale;
  if (step === null) return `${min} to ${max}`;
  const choices = choicesOf(criterion);
  return choices.length > MAX_LISTED_VALUES ? `${min} to ${max} in steps of ${step}` : choices.join(", ");
};

/** Maximum number of scale values listed in a message. */
const MAX_LISTED_VALUES = 11;
