import { AppError } from "../../../lib/errors";
import { Best, type ScoredSlot } from "./best";
import { fuse } from "./fusion";
import { KeywordIndex } from "./keyword-index";
import { MetadataColumns } from "./metadata-columns";
import type { DocumentChange, Search, SearchEntry, SearchHit, SearchResult } from "./search";
import { Slots } from "./slots";
import { VectorIndex } from "./vector-index";

/** Slots of removed chunks can be reused after this many removals, or a quarter of the chunks if that is more. */
const MIN_REMOVED = 1000;
/** Number of best hits that coverage is computed from. */
const COVERAGE_HITS = 5;

/** All chunks of one version of an index in memory: their vectors, words and metadata. */
export class ChunkIndex {
  readonly #slots = new Slots();
  readonly #keywords = new KeywordIndex(this.#slots);
  readonly #metadata = new MetadataColumns();
  /** Undefined until the first chunk sets the dimension. */
  #vectors: VectorIndex | undefined;
  /* By slot. */
  readonly #ids: string[] = [];
  readonly #documents: string[] = [];
  readonly #slotsOf = new Map<string, number[]>();

  get documents(): number {
    return this.#slotsOf.size;
  }

  get chunks(): number {
    return this.#slots.count;
  }

  /**
   * Replaces all chunks of a document. Throws invalid_request and changes nothing if a vector has a different
   * dimension.
   */
  replace({ id, entries }: DocumentChange): void {
    const [first] = entries;
    const vectors = this.#vectors ?? (first?.vector ? new VectorIndex(first.vector.length) : undefined);
    for (const { vector } of entries) if (vector) vectors?.check(vector);
    this.#vectors = vectors;
    for (const slot of this.#slotsOf.get(id) ?? []) this.#remove(slot);
    if (entries.length === 0) this.#slotsOf.delete(id);
    else
      this.#slotsOf.set(
        id,
        entries.map((entry) => this.#add(id, entry)),
      );
    if (this.#slots.removedCount > Math.max(MIN_REMOVED, this.#slots.count / 4)) this.#reuseSlots();
  }

  /**
   * `storedCosines`: for a search with `matches`, the cosines of these and of all keyword candidates, by chunk id.
   * Candidates without a cosine are left out. Throws invalid_request if a vector is missing or has a different
   * dimension.
   */
  search(search: Search, storedCosines?: ReadonlyMap<string, number>): SearchResult {
    const { mode, candidates, filter } = search;
    const times = [performance.now()];
    const allowed = filter ? this.#slots.alive.slice() : this.#slots.alive;
    if (filter) this.#metadata.keepMatching(filter, allowed);
    const searched = filter ? countOf(allowed) : this.#slots.count;
    times.push(performance.now());
    const byVector = mode === "keyword" ? [] : this.#closest(search, allowed, searched, storedCosines);
    times.push(performance.now());
    const keywordScores = mode === "vector" ? undefined : this.#keywords.scores(search.text, allowed);
    const byKeyword = keywordScores ? bestOf(keywordScores, candidates) : [];
    times.push(performance.now());
    const { hits, slots } = this.#ranked(search, byVector, byKeyword, keywordScores, storedCosines);
    const coverage = search.vector ? this.#keywords.coverage(search.text, slots.slice(0, COVERAGE_HITS)) : null;
    times.push(performance.now());
    const [filterMs = 0, vector = 0, keyword = 0, fusion = 0] = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    return { hits, searched, coverage, stagesMs: { filter: filterMs, vector, keyword, fusion } };
  }

  #closest(
    { vector, candidates, matches = [] }: Search,
    allowed: Uint8Array,
    searched: number,
    storedCosines?: ReadonlyMap<string, number>,
  ): ScoredSlot[] {
    if (storedCosines) return this.#matched(matches, allowed, storedCosines);
    if (!vector)
      throw new AppError("invalid_request", "This search needs the question's vector. Embed the question first.");
    return this.#vectors?.search(vector, candidates, allowed, searched) ?? [];
  }

  /** The matches of a vector store that this index has, best first. */
  #matched(
    matches: NonNullable<Search["matches"]>,
    allowed: Uint8Array,
    cosines: ReadonlyMap<string, number>,
  ): ScoredSlot[] {
    const found = matches.flatMap(({ document, chunk }) => {
      const slot = this.#slotsOf.get(document)?.find((each) => this.#ids[each] === chunk);
      const score = cosines.get(chunk);
      return slot === undefined || score === undefined || allowed[slot] !== 1 ? [] : [{ slot, score }];
    });
    return found.sort((a, b) => b.score - a.score || a.slot - b.slot);
  }

  /** The candidates of both retrievers with all scores, best first, and their slots in the same order. */
  #ranked(
    search: Search,
    byVector: ScoredSlot[],
    byKeyword: ScoredSlot[],
    keywordScores?: Float32Array,
    storedCosines?: ReadonlyMap<string, number>,
  ) {
    const vectorRanks = ranksOf(byVector);
    const keywordRanks = ranksOf(byKeyword);
    const found = [...new Set([...vectorRanks.keys(), ...keywordRanks.keys()])];
    const storedCosine = (slot: number) => storedCosines?.get(this.#ids[slot] as string);
    const slots = Uint32Array.from(storedCosines ? found.filter((slot) => storedCosine(slot) !== undefined) : found);
    const own = search.vector && !storedCosines ? this.#vectors?.cosines(search.vector, slots) : undefined;
    const cosines = storedCosines ? Float32Array.from(slots, (slot) => storedCosine(slot) ?? 0) : own;
    const candidates = Array.from(slots, (slot, i) => ({
      vectorScore: cosines?.[i] ?? 0,
      keywordScore: keywordScores?.[slot] ?? 0,
      vectorRank: vectorRanks.get(slot) ?? null,
      keywordRank: keywordRanks.get(slot) ?? null,
    }));
    const fused = search.mode === "hybrid" ? fuse(candidates, search.fusion) : undefined;
    const scored = candidates.map((candidate, i) => ({ ...candidate, slot: slots[i] as number, fused: fused?.[i] }));
    // For equal scores, the better vector score comes first. In other modes, the order is already right.
    if (fused) scored.sort((a, b) => (b.fused ?? 0) - (a.fused ?? 0) || b.vectorScore - a.vectorScore);
    const hits = scored.map(
      ({ slot, fused, vectorScore, keywordScore, vectorRank, keywordRank }, place): SearchHit => ({
        id: this.#ids[slot] as string,
        document: this.#documents[slot] as string,
        scores: {
          vector: cosines ? vectorScore : null,
          keyword: keywordScores ? keywordScore : null,
          fused: fused ?? null,
        },
        ranks: { vector: vectorRank, keyword: keywordRank, fused: fused === undefined ? null : place + 1 },
      }),
    );
    return { hits, slots: scored.map(({ slot }) => slot) };
  }

  #add(document: string, entry: SearchEntry): number {
    const slot = this.#slots.take();
    this.#ids[slot] = entry.id;
    this.#documents[slot] = document;
    this.#keywords.add(slot, entry);
    this.#metadata.set(slot, entry.metadata);
    if (entry.vector) this.#vectors?.set(slot, entry.vector);
    return slot;
  }

  #remove(slot: number): void {
    this.#slots.remove(slot);
    this.#keywords.remove(slot);
    this.#metadata.remove(slot);
  }

  #reuseSlots(): void {
    this.#keywords.purge();
    this.#slots.reuse();
  }
}

const countOf = (allowed: Uint8Array): number => {
  let count = 0;
  for (let slot = 0; slot < allowed.length; slot++) count += allowed[slot] as number;
  return count;
};

const bestOf = (scores: Float32Array, count: number): ScoredSlot[] => {
  const best = new Best(count);
  for (let slot = 0; slot < scores.length; slot++) {
    const score = scores[slot] as number;
    if (score > 0 && score > best.worst) best.offer(slot, score);
  }
  return best.sorted();
};

/** Ranks by slot, from 1. */
const ranksOf = (sorted: ScoredSlot[]): Map<number, number> => new Map(sorted.map(({ slot }, i) => [slot, i + 1]));
