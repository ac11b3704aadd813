import { WorkerClient } from "../../../lib/worker-client";
import { checkFilter } from "./filter";
import type { Search, SearchResult } from "./search";

/** A version of an index, and the revision of the index that a search must have seen. */
export interface SearchedVersion {
  index: string;
  version: number;
  revision: number;
}

export interface LoadedVersion {
  /** At least the revision that was asked for. */
  revision: number;
  documents: number;
  chunks: number;
}

export type Question =
  | ({ kind: "search"; search: Search } & SearchedVersion)
  | ({ kind: "load" } & SearchedVersion)
  | { kind: "drop"; index: string; version: number | null };
export type Answer =
  | { kind: "found"; result: SearchResult }
  | { kind: "loaded"; loaded: LoadedVersion }
  | { kind: "dropped" };

/**
 * Searches all indexes of this gateway process in one Worker. The Worker reads the chunks itself (`serveSearch`), so the
 * gateway's thread only sends questions. After a crash, a new Worker loads an index with its next search.
 */
export class SearchThread {
  readonly #worker: WorkerClient<Question, Answer>;

  /** The Worker's entry calls `serveSearch`. */
  constructor(createWorker: () => Worker) {
    this.#worker = new WorkerClient("searches", createWorker);
  }

  /**
   * Waits until the Worker has `revision`, then searches. The vector's buffer moves to the Worker. Throws invalid_request
   * for a filter that is too long or a vector of another dimension, not_found if the index is dropped meanwhile.
   */
  async search(version: SearchedVersion, search: Search, signal?: AbortSignal): Promise<SearchResult> {
    if (search.filter) checkFilter(search.filter);
    // A view of a larger buffer would take the whole buffer with it.
    const vector = search.vector && new Float32Array(search.vector);
    const transfer = vector ? [vector.buffer] : [];
    const answer = await this.#worker.ask(
      { kind: "search", ...version, search: { ...search, vector } },
      { signal, transfer },
    );
    return (answer as Extract<Answer, { kind: "found" }>).result;
  }

  /** Loads the index, so that its first search needn't wait. */
  async load(version: SearchedVersion, signal?: AbortSignal): Promise<LoadedVersion> {
    const answer = await this.#worker.ask({ kind: "load", ...version }, { signal });
    return (answer as Extract<Answer, { kind: "loaded" }>).loaded;
  }

  /** Frees the memory of one version, or of all versions of the index. */
  async drop(index: string, version: number | null = null): Promise<void> {
    await this.#worker.ask({ kind: "drop", index, version });
  }

  close(): void {
    this.#worker.close();
  }
}
