import { listPassages } from "../../../db/chunks";
import type { Reads } from "../../../db/client";
import type { Metadata } from "../../embeddings/contract";
import type { Chunks } from "./hits";

/** Reads chunks from the database for queries. */
export const createPassages = (db: Reads): Chunks => ({
  async read({ id: indexId, version }, ids) {
    const rows = await listPassages(db, { indexId, version }, ids);
    return rows.map(({ title, contentHash, metadata, ...chunk }) => ({
      ...chunk,
      documentTitle: title,
      documentHash: contentHash,
      metadata: metadata as Metadata,
    }));
  },
});
