import type { CacheDirectives } from "../call";
import type { CacheReport } from "../contract";
import type { EngineReply } from "../ports/engine";

export interface CacheRequest {
  /** Id of the calling key. Its entries are its own, unless an admin put it into a shared namespace. */
  keyId: string;
  /** Everything that could change the answer, by name, in a fixed order; hashed to the key and shown by `explain`. */
  parts: Record<string, unknown>;
  /** Whether `generate` gives Server-Sent Events. Both forms share what is stored, only equal ones what is in flight. */
  stream: boolean;
  /** For invalidation in one call: `model:NAME`, `prompt:HASH`, `index:ID`, `evaluator:NAME@VERSION`. */
  tags: string[];
  /** Why this answer may not be cached (sampling without a seed, cache off …); undefined when it may. */
  bypass?: string;
  directives: CacheDirectives;
  requestId: string;
  /** Its signal is read only if the answer is not stored. */
  call: { readonly signal: AbortSignal };
}

/** Either the whole stored answer, or the frames of a generation that runs now (this caller's own, or one it joined). */
export type CachedAnswer = { report: CacheReport; stored: string } | { report: CacheReport; reply: EngineReply };

export interface AnswerCache {
  /**
   * Serves from the store, joins an equal request in flight, or starts `generate`. The generation is aborted when its
   * last reader has gone. `toStored` makes the value to keep from all frames of a whole answer, or undefined when it
   * is not worth keeping (empty, cut off). Throws what `generate` throws, client_closed when `signal` is aborted, and
   * not_cached (504, RFC 9111 section 5.2.1.7) for `only-if-cached` without an entry.
   */
  answer(
    request: CacheRequest,
    generate: (signal: AbortSignal) => Promise<EngineReply>,
    toStored: (frames: Uint8Array[]) => string | undefined,
  ): Promise<CachedAnswer>;
}
