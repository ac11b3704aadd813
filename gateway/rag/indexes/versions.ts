import { appendAudit } from "../../../db/audit";
import { dropBuilds } from "../../../db/builds";
import type { Db } from "../../../db/client";
import * as store from "../../../db/indexes";
import { insertJob } from "../../../db/jobs";
import { AppError } from "../../../lib/errors";
import { newId } from "../../../lib/ids";
import type { PageQuery } from "../../contract";
import type { Seal } from "../../idempotency/service";
import type { Models } from "../../models/registry";
import { pageOf, readNumberCursor } from "../../paging";
import type { Principal } from "../../principal";
import { toVersion } from "../wire";
import type { BuildVersion, IndexVersion, IndexVersionPage, RagIndex } from "./contract";
import { BUILD_KIND, type BuildPayload } from "./ingestion";
import { noSuchIndex, noSuchVersion, notReady } from "./open-index";
import type { Indexes } from "./service";
import { versionFields } from "./version-fields";

/** Maximum versions that get every new document: the active one, one more that is ready, and one that is being built. */
const MAX_LIVE = 3;

interface VersionDeps {
  db: Db;
  indexes: Pick<Indexes, "find" | "get">;
  models: Pick<Models, "get" | "resolve">;
  now?: () => Date;
}

export type Versions = ReturnType<typeof createVersions>;

export const createVersions = ({ db, indexes, models, now = () => new Date() }: VersionDeps) => ({
  /** Newest first. */
  async list(principal: Principal, idOrName: string, { limit = 20, after }: PageQuery): Promise<IndexVersionPage> {
    const index = await indexes.find(principal, idOrName);
    const rows = await store.listVersions(db, index.id, { limit: limit + 1, below: readNumberCursor(after) });
    const totals = await store.findVersionTotals(
      db,
      index.id,
      rows.map(({ version }) => version),
    );
    return pageOf(
      rows,
      limit,
      (row) => toVersion(row, index.activeVersion, totals.get(row.version)),
      ({ version }) => String(version),
    );
  },

  /**
   * Builds a version from the stored texts while queries use the active one. Retires the oldest inactive version if there
   * are too many. Throws not_found, conflict while another version is being built, and what `versionFields` throws.
   */
  async build(principal: Principal, idOrName: string, request: BuildVersion, seal?: Seal): Promise<IndexVersion> {
    const index = await indexes.find(principal, idOrName);
    const { id: indexId } = index;
    const current = await store.findVersion(db, indexId, index.activeVersion);
    const fields = versionFields(models, principal, {
      embedding_model: request.embedding_model ?? current?.embeddingModel,
      chunking:
        request.chunking ?? (current && { chunk_tokens: current.chunkTokens, overlap_tokens: current.overlapTokens }),
    });
    return db.write(async (tx) => {
      const at = now();
      // Read here, because another version may have been activated in the meantime.
      const activeVersion = (await store.findIndex(tx, indexId))?.activeVersion;
      if (activeVersion === undefined) throw noSuchIndex(idOrName);
      const live = await store.listLiveVersions(tx, indexId);
      if (live.some(({ state }) => state === "building")) throw stillBuilding();
      const [newest] = await store.listVersions(tx, indexId, { limit: 1 });
      const version = (newest?.version ?? 0) + 1;
      const payload: BuildPayload = { indexId, version };
      const { keyId: createdBy, traceparent } = principal;
      const job = { id: newId("job"), kind: BUILD_KIND, payload: { ...payload }, createdBy, traceparent };
      await insertJob(tx, job, [null], at);
      const row = { ...fields, indexId, version, state: "building", jobId: job.id, createdAt: at } as const;
      await store.insertVersion(tx, row);
      const surplus = live.length + 1 - MAX_LIVE;
      const inactive = live.filter((each) => each.version !== activeVersion);
      for (const old of inactive.slice(0, Math.max(0, surplus))) {
        await store.updateVersion(tx, old, { state: "retired" });
        await dropBuilds(tx, old);
      }
      const detail = { version, model: fields.embeddingModel };
      await appendAudit(tx, { at, actor: principal, action: "index.build", target: indexId, detail });
      const made = toVersion({ ...row, error: null, activatedAt: null }, activeVersion);
      await seal?.(tx, made);
      return made;
    });
  },

  /** Switches to a version in one step, forward or back. Throws not_found, and conflict if it is not ready. */
  async activate(principal: Principal, idOrName: string, version: number): Promise<RagIndex> {
    const { id } = await indexes.find(principal, idOrName);
    await db.write(async (tx) => {
      const at = now();
      const row = await store.findVersion(tx, id, version);
      if (!row) throw noSuchVersion(version);
      if (row.state !== "ready") throw notReady(row, "activated");
      const index = await store.findIndex(tx, id);
      if (!index || index.activeVersion === version) return;
      await store.updateIndex(tx, id, { activeVersion: version });
      await store.updateVersion(tx, row, { activatedAt: at });
      await store.raiseRevision(tx, id, at);
      const detail = { version, before: index.activeVersion };
      await appendAudit(tx, { at, actor: principal, action: "index.activate", target: id, detail });
    });
    return indexes.get(principal, id);
  },
});

const stillBuilding = (): AppError =>
  new AppError("conflict", "Another version of this index is being built. Wait until it is ready, then try again.");
