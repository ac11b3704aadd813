import { Value } from "@sinclair/typebox/value";
import type { Db } from "../../db/client";
import { findAnswer, listMessages } from "../../db/conversations";
import { findDataset } from "../../db/datasets";
import * as store from "../../db/feedback";
import { AppError } from "../../lib/errors";
import { newId } from "../../lib/ids";
import { assertMayStore } from "../content-logging";
import { branchTo } from "../conversations/branches";
import { AnswerDetail } from "../conversations/contract";
import { sampleRow } from "../datasets/content";
import type { NewSample } from "../datasets/contract";
import type { ImportTarget } from "../datasets/import-job";
import type { Imports } from "../datasets/imports";
import type { Seal } from "../idempotency/service";
import { pageOf, readTimeCursor, timeCursor } from "../paging";
import { hasRole, type Principal } from "../principal";
import type { Uploads } from "../uploads/service";
import type { Feedback, FeedbackPage, FeedbackQuery, GiveFeedback } from "./contract";

interface FeedbackDeps {
  db: Db;
  imports: Pick<Imports, "enqueue" | "wait">;
  uploads: Pick<Uploads, "receive">;
  now?: () => Date;
}

export type FeedbackService = ReturnType<typeof createFeedback>;

export const createFeedback = ({ db, imports, uploads, now = () => new Date() }: FeedbackDeps) => {
  /** The exchange as a sample: the conversation up to the question, and the answer. Throws not_found. */
  const sampleOf = async ({ keyId }: Principal, given: GiveFeedback): Promise<NewSample> => {
    const { request_id: requestId, rating, correction } = given;
    const answer = await findAnswer(db, keyId, requestId);
    if (!answer) {
      throw new AppError(
        "not_found",
        `Answer ${requestId} is not in any of your conversations, so it can't be stored as a sample. Leave out dataset, or add the sample with POST /v1/datasets/{id}/revisions.`,
        { param: "request_id" },
      );
    }
    const before = branchTo(await listMessages(db, answer.conversationId), answer.parentId);
    // A sample's messages are text: function calls and their results are left out.
    const messages = before.flatMap(({ role, content }) =>
      role === "tool" || content === "" ? [] : [{ role, content }],
    );
    const [only] = messages;
    const evidence = Value.Check(AnswerDetail, answer.detail) ? answer.detail.evidence : undefined;
    const contexts = (evidence?.chunks ?? []).filter(({ context }) => context !== null).map(({ text }) => text);
    const references = correction ? [correction] : rating === "up" ? [answer.content] : [];
    return {
      // An answer has one sample, so further feedback changes that sample.
      key: requestId,
      input: messages.length === 1 && only?.role === "user" ? only.content : messages,
      ...(references.length > 0 && { references }),
      ...(contexts.length > 0 && { contexts }),
      output: answer.content,
      // Answers in the same conversation are not independent.
      group: answer.conversationId,
      tags: ["feedback", `thumbs-${rating}`],
      metadata: { conversation_id: answer.conversationId, request_id: requestId },
    };
  };

  /** Throws not_found for an unknown id. */
  const targetOf = async (named: string): Promise<ImportTarget> => {
    const dataset = await findDataset(db, named);
    if (dataset) return { mode: "merge", datasetId: dataset.id };
    if (named.startsWith("ds_")) {
      throw new AppError("not_found", `Dataset ${named} not found. GET /v1/datasets lists the datasets.`, {
        param: "dataset",
      });
    }
    return { mode: "create", name: named, description: "Answers that people gave feedback on", schema: null };
  };

  const keep = async (
    principal: Principal,
    sample: NewSample,
    named: string,
    signal: AbortSignal,
  ): Promise<NonNullable<Feedback["sample"]>> => {
    const target = await targetOf(named);
    const line = new TextEncoder().encode(`${JSON.stringify(sample)}\n`);
    const upload = await uploads.receive([line], { fileName: null, createdBy: principal.keyId });
    const request = { target, options: { format: "jsonl", onError: "refuse", dryRun: false }, isInline: true } as const;
    const { job } = await imports.enqueue(principal, upload, request);
    const { dataset } = await imports.wait(job, signal);
    if (!dataset) throw new Error("The import stored a sample but returned no dataset.");
    return { dataset_id: dataset.id, revision: dataset.latest.revision, sample_id: sampleRow(sample).row.id };
  };

  return {
    /**
     * Stores feedback on an answer, replacing the same key's earlier feedback. With `dataset`, also stores the exchange
     * as a sample. Throws not_found, insufficient_role, and what an import throws.
     */
    async give(principal: Principal, given: GiveFeedback, seal: Seal, signal: AbortSignal): Promise<Feedback> {
      const { request_id: requestId, rating, comment, correction, dataset } = given;
      if (comment || correction || dataset) assertMayStore(principal, "feedback", "Send only the rating.");
      if (dataset !== undefined) assertMayAdd(principal);
      const sample =
        dataset === undefined ? null : await keep(principal, await sampleOf(principal, given), dataset, signal);
      const row: store.FeedbackRow = {
        id: newId("fb"),
        requestId,
        rating,
        comment: comment || null,
        correction: correction || null,
        sample: sample && { datasetId: sample.dataset_id, revision: sample.revision, sampleId: sample.sample_id },
        givenBy: principal.keyId,
        createdAt: now(),
      };
      return db.write(async (tx) => {
        const feedback = toFeedback(await store.saveFeedback(tx, row));
        await seal(tx, feedback);
        return feedback;
      });
    },

    /**
     * Stores an answer that is in no conversation as a sample of the dataset `named`, which is created if it is unknown.
     * Throws not_found, insufficient_role, and what an import throws.
     */
    addSample(principal: Principal, sample: NewSample, named: string, signal: AbortSignal) {
      assertMayStore(principal, "samples", "Rate the answer instead.");
      assertMayAdd(principal);
      return keep(principal, sample, named, signal);
    },

    /** The caller's own feedback on the answers to these requests, by request id. */
    async given({ keyId }: Principal, requestIds: readonly string[]): Promise<Map<string, Feedback>> {
      const rows = requestIds.length > 0 ? await store.findFeedback(db, keyId, requestIds) : [];
      return new Map(rows.map((row) => [row.requestId, toFeedback(row)]));
    },

    async list({ limit = 20, after, rating }: FeedbackQuery): Promise<FeedbackPage> {
      const rows = await store.listFeedback(db, {
        limit: limit + 1,
        rating,
        cursor: readTimeCursor(after),
      });
      return pageOf(rows, limit, toFeedback, ({ createdAt, id }) => timeCursor(createdAt, id));
    },
  };
};

const assertMayAdd = ({ role }: Principal): void => {
  if (hasRole(role, "editor")) return;
  throw new AppError("insufficient_role", "Adding to a dataset requires the editor role. Leave out dataset.", {
    param: "dataset",
  });
};

const toFeedback = (row: store.FeedbackRow): Feedback => ({
  id: row.id,
  request_id: row.requestId,
  rating: row.rating,
  comment: row.comment,
  correction: row.correction,
  sample: row.sample && {
    dataset_id: row.sample.datasetId,
    revision: row.sample.revision,
    sample_id: row.sample.sampleId,
  },
  given_by: row.givenBy,
  created_at: row.createdAt.toISOString(),
});
