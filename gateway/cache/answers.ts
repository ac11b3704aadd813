import type { CacheDirectives } from "../call";
import type { CacheReport } from "../contract";
import type { EngineReply } from "../ports/engine";

export interface CacheRequest {
  /** Id of the calling key. Its entries are private unless an admin put it into a shared namespace. */
  keyId: string;
  /** Everything that affects the answer, by name, in a fixed order. Hashed into the key and shown by `explain`. */
  parts: Record<string, unknown>;
  /** Whether `generate` produces Server-Sent Events. Both forms share stored answers, but not running generations. */
  stream: boolean;
  /** For invalidation in one call: `model:NAME`, `prompt:HASH`, `index:ID`, `evaluator:NAME@VERSION`. */
  tags: string[];
  /** Why this answer may not be cached (sampling without a seed, cache off …); undefined if it may. */
  bypass?: string;
  directives: CacheDirectives;
  requestId: string;
  /** Its signal is read only if the answer is not stored. */
  call: { readonly signal: AbortSignal };
}

/** The whole stored answer, or the frames of a running generation (started by this caller or joined). */
export type CachedAnswer = { report: CacheReport; stored: string } | { report: CacheReport; reply: EngineReply };

export interface AnswerCache {
  /**
   * Serves from the store, joins an equal request in flight, or starts `generate`. The generation is aborted when its
   * last reader leaves. `toStored` converts all frames of a complete answer to the stored value, or returns undefined for
   * an answer not worth storing (empty, cut off). Throws what `generate` throws, client_closed if `signal` is aborted, and
   * not_cached (504, RFC 9111 section 5.2.1.7) for `only-if-cached` without an entry.
   */
  answer(
    request: CacheRequest,
    generate: (signal: AbortSignal) => Promise<EngineReply>,
    toStored: (frames: Uint8Array[]) => string | undefined,
  ): Promise<CachedAnswer>;
}
