import type { VisibleChunk } from "../../db/chunks";
import type { DocumentRow, DocumentState } from "../../db/documents";
import type { IndexRow, VersionRow, VersionTotals } from "../../db/indexes";
import type { JobRow } from "../../db/jobs";
import type { RetrievalSettings } from "../retrieval-contract";
import { fromRow } from "../wire";
import { Chunk, type ChunkPage, IndexVersion, type Ingestion, RagDocument, RagIndex } from "./indexes/contract";
import { type IngestPayload, pendingOf } from "./indexes/ingestion";

type StateCounts = Partial<Record<DocumentState, number>>;

const NO_TOTALS: VersionTotals = { documents: 0, chunks: 0, tokens: 0, sizeBytes: 0 };

/** An index with its versions and counts. */
export interface IndexParts {
  index: IndexRow;
  /** The active version and the one that is being built, if any. */
  versions: readonly VersionRow[];
  totals: ReadonlyMap<number, VersionTotals>;
  states: StateCounts;
  ingestion: Ingestion | null;
  lastError: Record<string, unknown> | null;
}

export const toVersion = (row: VersionRow, active: number, totals: VersionTotals = NO_TOTALS): IndexVersion =>
  fromRow(IndexVersion, row, {
    state: row.version === active ? "active" : row.state,
    chunking: { chunk_tokens: row.chunkTokens, overlap_tokens: row.overlapTokens },
    documents: totals.documents,
    chunks: totals.chunks,
    error: row.error as IndexVersion["error"],
  });

const sumOf = (states: StateCounts): number => Object.values(states).reduce((sum, count) => sum + count, 0);

const isOpen = ({ queued = 0, reading = 0, chunking = 0, embedding = 0 }: StateCounts): boolean =>
  queued + reading + chunking + embedding > 0;

export const toIndex = ({ index, versions, totals, states, ingestion, lastError }: IndexParts): RagIndex => {
  const version = (isWanted: (row: VersionRow) => boolean): IndexVersion | null => {
    const row = versions.find(isWanted);
    return row ? toVersion(row, index.activeVersion, totals.get(row.version)) : null;
  };
  const active = version((row) => row.version === index.activeVersion);
  if (!active) throw new Error(`The index ${index.id} has no version ${index.activeVersion}.`);
  const total = sumOf(states);
  const searchable = totals.get(index.activeVersion) ?? NO_TOTALS;
  const hasFailed = searchable.documents === 0 && (states.failed ?? 0) > 0;
  return fromRow(RagIndex, index, {
    status: isOpen(states) ? "ingesting" : total === 0 ? "empty" : hasFailed ? "failed" : "ready",
    active,
    building: version((row) => row.state === "building"),
    retrieval: index.retrieval as RetrievalSettings,
    documents: total,
    failed_documents: states.failed ?? 0,
    chunks: searchable.chunks,
    tokens: searchable.tokens,
    size_bytes: searchable.sizeBytes,
    ingestion,
    last_error: lastError as RagIndex["last_error"],
  });
};

/** The progress of a job, from the states of its documents. */
export const toIngestion = (job: JobRow, states: StateCounts, now: Date): Ingestion => {
  const { total } = job.payload as unknown as IngestPayload;
  const { ready: done = 0, failed = 0, cancelled = 0 } = states;
  const left = total - done - failed - cancelled;
  const elapsedMs = job.startedAt ? now.getTime() - job.startedAt.getTime() : 0;
  const ended = done + failed;
  return {
    job_id: job.id,
    state: job.state,
    total,
    done,
    failed,
    started_at: job.startedAt?.toISOString() ?? null,
    ended_at: job.endedAt?.toISOString() ?? null,
    eta_seconds: job.endedAt || ended === 0 ? null : Math.max(0, ((elapsedMs / ended) * left) / 1000),
  };
};

export const toDocument = (row: DocumentRow, chunks: number): RagDocument =>
  fromRow(RagDocument, row, {
    source: row.contentHash === null ? (pendingOf(row)?.source ?? row.source) : row.source,
    media_type: row.mediaType as RagDocument["media_type"],
    metadata: row.metadata as RagDocument["metadata"],
    file_hash: row.fileHash ?? row.pendingHash ?? "",
    error: row.error as RagDocument["error"],
    chunks,
  });

export const toChunk = (row: VisibleChunk): ChunkPage["data"][number] => fromRow(Chunk, row);
