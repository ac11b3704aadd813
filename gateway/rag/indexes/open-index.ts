import type { Db } from "../../../db/client";
import * as store from "../../../db/indexes";
import { isMissingVectors } from "../../../db/vectors";
import { AppError } from "../../../lib/errors";
import type { Principal } from "../../principal";
import type { RetrievalSettings } from "../../retrieval-contract";
import type { Indexes, OpenIndex } from "../query/retrieve";

/** Finds an index by id or name. Throws not_found if it doesn't exist or the key may not use it. */
export const findIndex = async (db: Db, principal: Principal, idOrName: string): Promise<store.IndexRow> => {
  const index = await store.findIndex(db, idOrName, principal.allowedIndexes);
  if (index) return index;
  throw noSuchIndex(idOrName);
};

/** Opens indexes for queries. `vectorStore`: id of the vector store in use; undefined: vectors are searched in memory. */
export const indexOpener = (db: Db, vectorStore?: string): Indexes => {
  const open: Indexes["open"] = async (principal, idOrName, wanted): Promise<OpenIndex> => {
    const { id, name, revision, activeVersion, retrieval } = await findIndex(db, principal, idOrName);
    const number = wanted ?? activeVersion;
    const version = await store.findVersion(db, id, number);
    if (!version) throw wanted === undefined ? noSuchIndex(idOrName) : noSuchVersion(wanted);
    // Another version was activated after the index was read, and this one was retired.
    if (version.state === "retired" && wanted === undefined) return open(principal, idOrName);
    if (version.state !== "ready") throw notReady(version, "searched");
    const { embeddingModel, embeddingModelRevision } = version;
    return {
      ...{ id, name, revision, version: number, embeddingModel, embeddingModelRevision },
      retrieval: retrieval as RetrievalSettings,
      lacksVectors: vectorStore !== undefined && (await isMissingVectors(db, version, vectorStore)),
    };
  };
  return { open };
};

export const noSuchIndex = (idOrName: string): AppError =>
  new AppError("not_found", `Index "${idOrName}" not found for this key. GET /v1/rag/indexes lists the indexes.`, {
    param: "index",
  });

export const noSuchVersion = (version: number): AppError =>
  new AppError("not_found", `This index has no version ${version}.`, { param: "version" });

export const notReady = ({ version, state }: store.VersionRow, wanted: string): AppError =>
  new AppError("conflict", `Version ${version} is ${state}. Only a ready version can be ${wanted}.`);
