import type { RagAnswer, RetrievedChunk } from "../../gateway/rag/contract";
import type { Chunk, IndexVersion, Ingestion, RagDocument, RagIndex } from "../../gateway/rag/indexes/contract";
import { ERROR_KINDS } from "../../lib/errors";

/* Made-up indexes, documents and answers for tests of the pages. */

const AT = "2026-11-23T20:15:00.000Z";
export const HASH = "a3f5c2d1".repeat(8);

export const HANDBOOK = `# Staff handbook

Hearthside Bakery, October 2026. This handbook applies to everyone who works in the bakery or in one of its shops.

## Leave

### Holidays

Everyone has 30 days of paid leave a year. Days that you don't take by 31 March of the next year are lost, unless your manager agrees in writing.

### Illness

Tell your manager before your shift begins. From the third day on, a doctor's note is required. Sick days are never taken from your holidays.

## Working hours

| Shift | Begins | Ends | Break |
|---|---|---|---|
| Night | 22:00 | 06:00 | 45 minutes |
| Early | 05:30 | 13:30 | 30 minutes |
| Late | 12:00 | 20:00 | 30 minutes |

Overtime is paid with a supplement of 25 %. It has to be agreed with your manager beforehand.

## Devices

To switch an oven off in an emergency, press the red button at its right side, then run:

\`\`\`
oven stop --all --reason emergency
\`\`\`
`;

/** Starts of the chunks. Each chunk except the first repeats a little of the previous one. */
const STARTS = ["# Staff handbook", "## Leave", "### Illness", "## Working hours", "Overtime is paid", "## Devices"];
const HEADINGS = [
  "Staff handbook",
  "Staff handbook > Leave > Holidays",
  "Staff handbook > Leave > Illness",
  "Staff handbook > Working hours",
  "Staff handbook > Working hours",
  "Staff handbook > Devices",
];
const PAGES = [1, 1, 2, 2, 2, 3];
export const PAGE_STARTS = [0, HANDBOOK.indexOf("### Illness"), HANDBOOK.indexOf("## Devices")];

export const CHUNKS: readonly Chunk[] = STARTS.map((words, position) => {
  const start = HANDBOOK.indexOf(words) - (position === 5 ? 95 : 0);
  const next = STARTS[position + 1];
  const end = next === undefined ? HANDBOOK.length : HANDBOOK.indexOf(next);
  return {
    id: `chunk_${position}`,
    document_id: "doc_handbook",
    position,
    text: HANDBOOK.slice(start, end),
    tokens: 30 + position * 17,
    start,
    end,
    heading: HEADINGS[position] ?? null,
    page: PAGES[position] ?? null,
  };
});

export const sampleVersion = (changes: Partial<IndexVersion> = {}): IndexVersion => ({
  version: 1,
  state: "active",
  embedding_model: "all-minilm-l6-v2",
  embedding_model_revision: "c9745ed1d9f2",
  dimension: 384,
  chunker: "markdown@1",
  chunking: { chunk_tokens: 256, overlap_tokens: 32 },
  documents: 12,
  chunks: 318,
  created_at: AT,
  activated_at: AT,
  error: null,
  ...changes,
});

export const sampleIngestion = (changes: Partial<Ingestion> = {}): Ingestion => ({
  job_id: "job_1",
  state: "completed",
  total: 4,
  done: 4,
  failed: 0,
  started_at: AT,
  ended_at: AT,
  eta_seconds: null,
  ...changes,
});

export const sampleIndex = (changes: Partial<RagIndex> = {}): RagIndex => ({
  id: "idx_handbook",
  name: "Staff handbook",
  description: "Rules of the bakery: leave, shifts, devices",
  status: "ready",
  revision: 14,
  active: sampleVersion(),
  building: null,
  retrieval: {
    mode: "hybrid",
    fusion: "score",
    vector_weight: 0.5,
    candidates: 50,
    top_k: 5,
    rerank: false,
    threshold: { score: "vector", value: 0.3 },
    max_context_tokens: 1500,
    fallback_text: "The documents don’t answer this question.",
  },
  documents: 12,
  failed_documents: 0,
  chunks: 318,
  tokens: 61_204,
  size_bytes: 1_284_000,
  ingestion: sampleIngestion(),
  last_error: null,
  created_at: AT,
  created_by: "key_1",
  updated_at: AT,
  ...changes,
});

export const sampleDocument = (changes: Partial<RagDocument> = {}): RagDocument => ({
  id: "doc_handbook",
  index_id: "idx_handbook",
  title: "Staff handbook",
  source: "handbook.pdf",
  media_type: "application/pdf",
  file_hash: "5e1d".repeat(16),
  content_hash: HASH,
  metadata: { site: "north-quay", year: 2026 },
  state: "ready",
  error: null,
  chunks: CHUNKS.length,
  characters: HANDBOOK.length,
  created_at: AT,
  updated_at: AT,
  ...changes,
});

type DocumentError = NonNullable<RagDocument["error"]>;

export const failure = (message: string, code: DocumentError["code"] = "invalid_request"): DocumentError => ({
  message,
  type: ERROR_KINDS[code].type,
  code,
  param: null,
  source: "gateway",
  request_id: "req_1",
  retryable: ERROR_KINDS[code].retryable,
  details: [],
});

const retrieved = (position: number, rank: number, context: number | null, cosine: number): RetrievedChunk => ({
  ...(CHUNKS[position] as Chunk),
  document_title: "Staff handbook",
  document_hash: HASH,
  source: "handbook.pdf",
  metadata: {},
  scores: { vector: cosine, keyword: cosine * 11, fused: cosine * 1.1, rerank: null, final: cosine * 1.1 },
  ranks: { vector: rank, keyword: rank > 3 ? null : 4 - rank, fused: rank, final: rank },
  context,
  cited: context === 1,
});

const spanOf = (words: string) => {
  const start = HANDBOOK.indexOf(words);
  return { start, end: start + words.length, quote: words, document_hash: HASH };
};

export const ANSWER =
  "Everyone has **30 days** of paid leave a year [1]. Days that are left on 31 March are lost, unless your manager agrees in writing [1]. Sick days don’t count as holidays.\n\nYou can also sell up to five days back to the bakery.";
const sentence = (words: string) => {
  const answer_start = ANSWER.indexOf(words);
  return { text: words, answer_start, answer_end: answer_start + words.length };
};
const marker = (nth: number) => {
  const answer_start = nth === 0 ? ANSWER.indexOf("[1]") : ANSWER.lastIndexOf("[1]");
  return { marker: 1, answer_start, answer_end: answer_start + 3, found_by: "model" as const };
};
const HOLIDAYS = { chunk_id: "chunk_1", document_id: "doc_handbook", document_title: "Staff handbook", page: 1 };

export const CITATIONS = [
  { ...HOLIDAYS, ...marker(0), ...spanOf("Everyone has 30 days of paid leave a year.") },
  { ...HOLIDAYS, ...marker(1), ...spanOf("Days that you don't take by 31 March of the next year are lost") },
  {
    ...HOLIDAYS,
    ...sentence("Sick days don’t count as holidays."),
    ...spanOf("Sick days are never taken from your holidays."),
    chunk_id: "chunk_2",
    page: 2,
    marker: 2,
    found_by: "groundwire" as const,
  },
];

export const sampleAnswer = (changes: Partial<RagAnswer> = {}): RagAnswer => ({
  id: "rag_1",
  status: "answered",
  answer: ANSWER,
  citations: CITATIONS,
  sources: [{ document_id: "doc_handbook", title: "Staff handbook", source: "handbook.pdf" }],
  grounding: {
    supported: 0.75,
    evaluator: "reference@1",
    sentences: [
      {
        ...sentence("Everyone has **30 days** of paid leave a year [1]."),
        verdict: "supported",
        score: 0.97,
        chunk_id: "chunk_1",
      },
      {
        ...sentence("Days that are left on 31 March are lost, unless your manager agrees in writing [1]."),
        verdict: "supported",
        score: 0.91,
        chunk_id: "chunk_1",
      },
      { ...sentence("Sick days don’t count as holidays."), verdict: "supported", score: 0.82, chunk_id: "chunk_2" },
      {
        ...sentence("You can also sell up to five days back to the bakery."),
        verdict: "unsupported",
        score: 0.08,
        chunk_id: null,
      },
    ],
  },
  chunks: [
    retrieved(1, 1, 1, 0.71),
    retrieved(2, 2, 2, 0.58),
    retrieved(4, 3, 3, 0.41),
    retrieved(0, 4, null, 0.34),
    retrieved(3, 5, null, 0.31),
  ],
  threshold: { score: "vector", value: 0.3, best: 0.71, passed: true },
  warning: null,
  degraded: null,
  index: { id: "idx_handbook", name: "Staff handbook", revision: 14, version: 1 },
  diagnostics: {
    stages_ms: {
      embed: 6.2,
      vector: 0.9,
      keyword: 0.4,
      fusion: 0.1,
      prompt: 1.8,
      generation: 2140,
      grounding: 38,
      total: 2188,
    },
    vector_candidates: 50,
    keyword_candidates: 17,
    reranked: false,
    context_tokens: 412,
    dropped_contexts: 2,
    removed_markers: 1,
  },
  model: "smollm2-135m-instruct",
  model_revision: "b179c9523d0e",
  template_version: "rag@1",
  finish_reason: "stop",
  usage: { prompt_tokens: 468, completion_tokens: 52, total_tokens: 520 },
  latency: { queue: 0.4, ttft: 118, total: 2188 },
  cache: { status: "miss" },
  request_id: "req_01jd8x1m9k2n3p4q5r6s7t8v9w",
  ...changes,
});

/** Nothing was similar enough, so no model was called. */
export const refusedAnswer = (): RagAnswer =>
  sampleAnswer({
    status: "no_relevant_context",
    answer: "The documents don’t answer this question.",
    citations: [],
    sources: [],
    grounding: null,
    chunks: [retrieved(4, 1, null, 0.21), retrieved(3, 2, null, 0.18)],
    threshold: { score: "vector", value: 0.3, best: 0.21, passed: false },
    model: null,
    model_revision: null,
    finish_reason: null,
    usage: null,
  });
