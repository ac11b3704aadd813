import { setImmediate } from "node:timers/promises";
import { AppError } from "../../../lib/errors";
import { Garbage } from "../../../lib/garbage";
import { dotProduct } from "../../../lib/vectors";
import { answerQuestions } from "../../../lib/worker-client";
import { ChunkIndex } from "./chunk-index";
import { packResult } from "./packed-result";
import type { DocumentChange, Search } from "./search";
import type { Answer, Question, SearchedVersion } from "./search-thread";

/** Documents that changed after a revision, each with its newest content. */
export interface ChangePage {
  /** All changes up to this revision are on this page or earlier ones. On the last page, the index's current revision. */
  revision: number;
  documents: DocumentChange[];
  /** There were no further changes when the page was read. */
  isLast: boolean;
}

/**
 * Loads the next page of changes after `afterRevision`: 0 for all, otherwise the last page's revision. A page has only a
 * few hundred chunks, because other searches wait while it is indexed.
 */
export type LoadChanges = (index: string, version: number, afterRevision: number) => Promise<ChangePage>;

/** Reads the vectors of chunks from the database, by chunk id. Deleted chunks are left out. */
type ReadVectors = (chunkIds: readonly string[]) => Promise<ReadonlyMap<string, Float32Array>>;

/** active: queries use it. deleted: its index was deleted, by any gateway. */
export type VersionUse = "active" | "inactive" | "deleted";

interface ServeOptions {
  /** Used if a vector store finds the closest chunks. */
  readVectors?: ReadVectors;
  /** Used to find versions that need no memory any more, every `checkMs` milliseconds. */
  findUse: (index: string, version: number) => Promise<VersionUse>;
  checkMs?: number;
}

const CHECK_MS = 30_000;

/** Indexed pages are garbage, which is collected after this many bytes. */
const GARBAGE_BYTES = 24 * 2 ** 20;
const garbage = new Garbage(GARBAGE_BYTES);

/**
 * The Worker's side of SearchThread: holds the indexes and follows their changes. Frees deleted indexes, including
 * those that another gateway deleted, and inactive versions that no search used between two checks. Call it before any
 * asynchronous work.
 */
export const serveSearch = (
  loadChanges: LoadChanges,
  { readVectors, findUse, checkMs = CHECK_MS }: ServeOptions,
): void => {
  const versions = new Map<string, FollowedVersion>();
  const keyOf = (index: string, version: number) => `${index} ${version}`;

  const caughtUp = async ({ index, version, revision }: SearchedVersion): Promise<FollowedVersion> => {
    const followed = versions.getOrInsertComputed(
      keyOf(index, version),
      () => new FollowedVersion(index, version, (after) => loadChanges(index, version, after)),
    );
    await followed.catchUp(revision);
    return followed;
  };

  const freeUnused = async (): Promise<void> => {
    for (const followed of versions.values()) {
      const { index, version } = followed;
      const use = await findUse(index, version);
      const wasUsed = followed.takeUse();
      if (use === "deleted" || (use === "inactive" && !wasUsed)) drop(index, version);
    }
  };
  // After a failure, such as a busy database, the next check continues.
  setInterval(() => freeUnused().catch(() => undefined), checkMs);

  const drop = (index: string, version: number | null): void => {
    for (const [key, followed] of versions) {
      if (version === null ? !key.startsWith(`${index} `) : key !== keyOf(index, version)) continue;
      versions.delete(key);
      followed.drop();
    }
  };

  answerQuestions<Question, Answer>(async (question) => {
    if (question.kind === "drop") {
      drop(question.index, question.version);
      return { kind: "dropped" };
    }
    const { chunks, revision } = await caughtUp(question);
    if (question.kind === "search") {
      const { search } = question;
      const cosines = readVectors && (await storedCosines(chunks, search, readVectors));
      return { kind: "found", result: packResult(chunks.search(search, cosines)) };
    }
    return { kind: "loaded", loaded: { revision, documents: chunks.documents, chunks: chunks.chunks } };
  });
};

/** Exact cosines of all candidates of a search with `matches`, by chunk id; undefined for other searches. */
const storedCosines = async (
  chunks: ChunkIndex,
  search: Search,
  readVectors: ReadVectors,
): Promise<Map<string, number> | undefined> => {
  const { vector, matches, mode } = search;
  if (!vector || !matches) return undefined;
  const byKeyword = mode === "hybrid" ? chunks.search({ ...search, mode: "keyword", vector: null }).hits : [];
  const ids = new Set([...matches.map(({ chunk }) => chunk), ...byKeyword.map(({ id }) => id)]);
  const vectors = await readVectors([...ids]);
  return new Map([...vectors].map(([id, stored]) => [id, dotProduct(vector, stored)]));
};

/** A loaded version of an index and its current revision. */
class FollowedVersion {
  #wasUsed = true;
  readonly chunks = new ChunkIndex();
  revision = 0;
  #wanted = 0;
  /**
   * Every document was loaded. Until then, one that was replaced during the load may be missing, whatever revision is
   * reached.
   */
  #isComplete = false;
  #loading: Promise<void> | undefined;
  #isDropped = false;

  constructor(
    readonly index: string,
    readonly version: number,
    private readonly load: (afterRevision: number) => Promise<ChangePage>,
  ) {}

  /** Whether a search used it since the last call, or is still waiting for it. */
  takeUse(): boolean {
    const wasUsed = this.#wasUsed || this.#loading !== undefined;
    this.#wasUsed = false;
    return wasUsed;
  }

  /** Concurrent searches share one load. */
  async catchUp(revision: number): Promise<void> {
    this.#wasUsed = true;
    this.#wanted = Math.max(this.#wanted, revision);
    while (!this.#isComplete || this.revision < revision) {
      this.#loading ??= this.#loadPages().finally(() => {
        this.#loading = undefined;
      });
      await this.#loading;
    }
  }

  drop(): void {
    this.#isDropped = true;
  }

  async #loadPages(): Promise<void> {
    while (!this.#isComplete || this.revision < this.#wanted) {
      const { revision, documents, isLast } = await this.load(this.revision);
      if (this.#isDropped) throw new AppError("not_found", "The index was deleted during the search.");
      if (revision <= this.revision && this.revision < this.#wanted)
        throw new Error(`No changes after revision ${this.revision} of ${this.#wanted}.`);
      for (const document of documents) this.chunks.replace(document);
      this.revision = revision;
      this.#isComplete ||= isLast;
      garbage.note(sizeOf(documents));
      await setImmediate(); // lets searches of other indexes run
    }
  }
}

/** Size of texts and vectors, in bytes. */
const sizeOf = (documents: DocumentChange[]): number =>
  documents
    .flatMap(({ entries }) => entries)
    .reduce((sum, { text, vector }) => sum + 2 * text.length + (vector?.byteLength ?? 0), 0);
