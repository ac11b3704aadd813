import { WorkerClient } from "../../../lib/worker-client";
import { checkFilter } from "./filter";
import { type PackedResult, unpackResult } from "./packed-result";
import type { Search, SearchResult } from "./search";

/** A version of an index, and the minimum revision that a search must see. */
export interface SearchedVersion {
  index: string;
  version: number;
  revision: number;
}

export interface LoadedVersion {
  /** At least the requested revision. */
  revision: number;
  documents: number;
  chunks: number;
}

export type Question =
  | ({ kind: "search"; search: Search } & SearchedVersion)
  | ({ kind: "load" } & SearchedVersion)
  | { kind: "drop"; index: string; version: number | null };
export type Answer =
  | { kind: "found"; result: PackedResult }
  | { kind: "loaded"; loaded: LoadedVersion }
  | { kind: "dropped" };

/**
 * Searches all indexes of this gateway process in one Worker. The Worker loads the chunks itself (`serveSearch`), so the
 * main thread only sends questions. After a crash, a new Worker loads each index at its next search.
 */
export class SearchThread {
  readonly #worker: WorkerClient<Question, Answer>;

  /** The Worker's entry point must call `serveSearch`. */
  constructor(createWorker: () => Worker) {
    this.#worker = new WorkerClient("searches", createWorker);
  }

  /**
   * Waits until the Worker has `revision`, then searches. Throws invalid_request for a filter with too many conditions
   * or a vector with a different dimension, and not_found if the index is dropped meanwhile.
   */
  async search(version: SearchedVersion, search: Search, signal?: AbortSignal): Promise<SearchResult> {
    if (search.filter) checkFilter(search.filter);
    // Copied, because transferring it would detach the caller's buffer.
    const vector = search.vector && new Float32Array(search.vector);
    const transfer = vector ? [vector.buffer] : [];
    const answer = await this.#worker.ask(
      { kind: "search", ...version, search: { ...search, vector } },
      { signal, transfer },
    );
    return unpackResult((answer as Extract<Answer, { kind: "found" }>).result);
  }

  /** Loads the index, so that the first search doesn't have to wait. */
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
