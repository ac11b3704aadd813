import { setImmediate as nextTurn } from "node:timers/promises";
import { appendAudit } from "../../db/audit";
import type { Db, Tx } from "../../db/client";
import * as store from "../../db/datasets";
import { isConstraint } from "../../db/errors";
import { findRun } from "../../db/runs";
import { countMembers, findMember, listMembers, type MemberFilter, type MemberRow } from "../../db/samples";
import { AppError } from "../../lib/errors";
import type { Page, PageQuery } from "../contract";
import {
  type NumberedPage,
  type NumberedQuery,
  numberedPage,
  pageOf,
  readNumberCursor,
  readTimeCursor,
  timeCursor,
} from "../paging";
import type { Principal } from "../principal";
import { fromRow } from "../wire";
import {
  Dataset,
  type DatasetPage,
  type DatasetQuery,
  DatasetRevision,
  type KeptReport,
  type RevisionDetail,
  Sample,
  type SamplePage,
  type SampleQuery,
  type UpdateDataset,
} from "./contract";
import { assertSampleSchema } from "./schema-check";

/** Members read per statement. Matches may be rare, and other requests need a turn in between. */
const WINDOW = 5000;

export type DatasetSort = store.DatasetSort;

type NumberedSamples = Pick<SampleQuery, "revision" | "tag" | "search"> & { page: number; pageLength: number };

export type DatasetService = ReturnType<typeof createDatasets>;

export const createDatasets = ({ db, now = () => new Date() }: { db: Db; now?: () => Date }) => {
  const find = async (idOrName: string): Promise<store.DatasetWithLatest> => {
    const row = await store.findDataset(db, idOrName);
    if (row) return row;
    throw new AppError("not_found", `Dataset "${idOrName}" not found. GET /v1/datasets lists the datasets.`, {
      param: "dataset",
    });
  };

  const findRevision = async (dataset: store.DatasetWithLatest, number?: number): Promise<store.ReadyRevision> => {
    if (number === undefined || number === dataset.latest.revision) return dataset.latest;
    const row = await store.findRevision(db, dataset.id, number);
    if (row) return row;
    throw new AppError(
      "not_found",
      `"${dataset.name}" has no revision ${number}. The newest is ${dataset.latest.revision}.`,
      { param: "revision" },
    );
  };

  /** Up to `limit` matching members, from position `from` on. */
  const collect = async (
    revision: store.ReadyRevision,
    from: number,
    limit: number,
    filter: Pick<SampleQuery, "tag" | "search">,
  ): Promise<MemberRow[]> => {
    const found: MemberRow[] = [];
    for (let at = from; at < revision.samples && found.length < limit; at += WINDOW) {
      const page = { from: at, window: WINDOW, limit: limit - found.length, ...filter };
      found.push(...(await listMembers(db, revision.id, page)));
      await nextTurn();
    }
    return found;
  };

  /** Counts the matching members, one window at a time. */
  const countInWindows = async (revision: store.ReadyRevision, filter: MemberFilter): Promise<number[]> => {
    const counts: number[] = [];
    const isFiltered = filter.tag !== undefined || filter.search !== undefined;
    for (let from = 0; from < revision.samples; from += WINDOW) {
      const all = Math.min(WINDOW, revision.samples - from);
      counts.push(isFiltered ? await countMembers(db, revision.id, { from, window: WINDOW, ...filter }) : all);
      await nextTurn();
    }
    return counts;
  };

  const assertBaseline = async (tx: Tx, principal: Principal, datasetId: string, runId: string): Promise<void> => {
    const run = await findRun(tx, runId, principal.allowedIndexes);
    if (run?.datasetId === datasetId && run.kind === "batch" && run.endedAt !== null) return;
    const message = `${runId} can't be the baseline: it must be a batch run of this dataset and must have ended. GET /v1/batch-evals?dataset=${datasetId} lists its runs.`;
    throw new AppError("invalid_request", message, { param: "baseline_run_id" });
  };

  return {
    /** Most recently changed first. */
    async list({ limit = 20, after, search }: DatasetQuery): Promise<DatasetPage> {
      const rows = await store.listDatasets(db, {
        limit: limit + 1,
        search,
        cursor: readTimeCursor(after),
      });
      return pageOf(rows, limit, toDataset, ({ updatedAt, id }) => timeCursor(updatedAt, id));
    },

    /** A numbered page of the datasets whose name or description contains `search`. */
    async listNumbered({
      sort,
      search,
      ...place
    }: NumberedQuery<DatasetSort> & { search?: string }): Promise<NumberedPage<Dataset>> {
      const total = await store.countDatasets(db, search);
      return numberedPage(place, total, async (slice) =>
        (await store.listSortedDatasets(db, { ...slice, sort, search })).map(toDataset),
      );
    },

    /** By id or name. Throws not_found. */
    get: async (idOrName: string): Promise<Dataset> => toDataset(await find(idOrName)),

    /** Throws not_found, conflict (the name is taken), invalid_request (the baseline belongs to another dataset). */
    async update(principal: Principal, id: string, update: UpdateDataset): Promise<Dataset> {
      const { name, description, schema, baseline_run_id: baselineRunId } = update;
      const dataset = await find(id);
      if (schema) await assertSampleSchema(schema);
      const at = now();
      const changes = { name, description, sampleSchema: schema, baselineRunId };
      try {
        await db.write(async (tx) => {
          if (baselineRunId) await assertBaseline(tx, principal, dataset.id, baselineRunId);
          await store.updateDataset(tx, dataset.id, { ...changes, updatedAt: at });
          const detail = { ...changes, sampleSchema: schema === undefined ? undefined : "changed" };
          await appendAudit(tx, { at, actor: principal, action: "dataset.update", target: dataset.id, detail });
        });
      } catch (error) {
        if (isConstraint(error)) throw nameTaken(name ?? dataset.name);
        throw error;
      }
      return toDataset(await find(dataset.id));
    },

    /** Deletes a dataset immediately. Runs that used it keep their samples. Throws not_found. */
    async remove(principal: Principal, id: string): Promise<void> {
      const dataset = await find(id);
      const at = now();
      await db.write(async (tx) => {
        await store.hideDataset(tx, dataset.id, at);
        const detail = { name: dataset.name };
        await appendAudit(tx, { at, actor: principal, action: "dataset.delete", target: dataset.id, detail });
      });
    },

    /** Newest first. Throws not_found. */
    async revisions(id: string, { limit = 20, after }: PageQuery): Promise<Page<DatasetRevision>> {
      const dataset = await find(id);
      const rows = await store.listRevisions(db, dataset.id, { limit: limit + 1, below: readNumberCursor(after) });
      return pageOf(rows, limit, toRevision, ({ revision }) => String(revision));
    },

    /** One revision, by default the newest. Throws not_found. */
    async revision(id: string, number?: number): Promise<{ dataset: Dataset; revision: DatasetRevision }> {
      const row = await find(id);
      return { dataset: toDataset(row), revision: toRevision(await findRevision(row, number)) };
    },

    /** One revision with its upload report; by default the newest. Throws not_found. */
    async revisionDetail(id: string, number?: number): Promise<RevisionDetail> {
      const row = await findRevision(await find(id), number);
      const report = await store.findReport(db, row.id);
      // Earlier versions stored reports without warnings.
      return { ...toRevision(row), report: report && ({ warnings: [], ...report } as unknown as KeptReport) };
    },

    /** Samples of a revision in upload order. Throws not_found. */
    async samples(id: string, { limit = 20, after, revision, ...filter }: SampleQuery): Promise<SamplePage> {
      const row = await findRevision(await find(id), revision);
      const found = await collect(row, readNumberCursor(after) ?? 0, limit + 1, filter);
      return pageOf(found, limit, toSample, ({ position }) => String(position + 1));
    },

    /** A numbered page of a revision's matching samples, in upload order. Throws not_found. */
    async samplesNumbered(
      id: string,
      { page, pageLength, revision, ...filter }: NumberedSamples,
    ): Promise<NumberedPage<Sample>> {
      const row = await findRevision(await find(id), revision);
      const counts = await countInWindows(row, filter);
      const total = counts.reduce((sum, each) => sum + each, 0);
      return numberedPage({ page, pageLength }, total, async ({ limit, offset }) => {
        const found: MemberRow[] = [];
        let skipped = offset;
        for (const [i, inWindow] of counts.entries()) {
          if (found.length === limit) break;
          if (skipped < inWindow) {
            const part = { from: i * WINDOW, window: WINDOW, limit: limit - found.length, offset: skipped, ...filter };
            found.push(...(await listMembers(db, row.id, part)));
          }
          skipped = Math.max(0, skipped - inWindow);
        }
        return found.map(toSample);
      });
    },

    async sample(id: string, key: string, revision?: number): Promise<Sample> {
      const row = await findRevision(await find(id), revision);
      const member = await findMember(db, row.id, key);
      if (member) return toSample(member);
      throw new AppError("not_found", `Sample "${key}" not found in revision ${row.revision}.`, { param: "key" });
    },

    /**
     * Reads every sample of a revision in order, in pages. Throws not_found. If the dataset is deleted while it is
     * read, the next page throws not_found too, so that a partial result is not mistaken for a complete one.
     */
    async export(id: string, number?: number) {
      const dataset = await find(id);
      const revision = await findRevision(dataset, number);
      const pages = async function* (): AsyncGenerator<Sample[]> {
        let count = 0;
        for (let from = 0; from < revision.samples; from += EXPORT_ROWS) {
          const rows = await listMembers(db, revision.id, { from, window: EXPORT_ROWS, limit: EXPORT_ROWS });
          count += rows.length;
          yield rows.map(toSample);
        }
        if (count < revision.samples) throw deletedMeanwhile();
      };
      return { dataset: dataset.id, revision: revision.revision, pages: pages() };
    },
  };
};

const EXPORT_ROWS = 200;

const deletedMeanwhile = (): AppError =>
  new AppError("not_found", "The dataset was deleted while it was being read, so the file is incomplete.");

export const nameTaken = (name: string): AppError =>
  new AppError("conflict", `A dataset named "${name}" already exists. Use another name, or add a revision to it.`, {
    param: "name",
  });

const toRevision = (row: store.ReadyRevision): DatasetRevision => fromRow(DatasetRevision, row);

const toDataset = ({ latest, sampleSchema: schema, ...row }: store.DatasetWithLatest): Dataset =>
  fromRow(Dataset, row, { schema, latest: toRevision(latest), tags: latest.tags, tag_count: latest.tagCount });

const toSample = (row: MemberRow): Sample => fromRow(Sample, row);
