import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../../../lib/errors";
import { inOrder } from "../../../lib/in-order";
import { countProgress, drawProgress } from "../../../lib/progress";
import type { RagAnswer, RagQuery } from "../../rag/contract";
import type { AddedDocuments, RagIndex, RagIndexPage } from "../../rag/indexes/contract";
import { DEFAULT_RETRIEVAL } from "../../rag/indexes/defaults";
import type { LabelledCorpus } from "../../rag/quality/labelled-corpus";
import type { SearchedQuery } from "../../rag/quality/report";
import type { RetrievalSettings } from "../../retrieval-contract";
import type { Platform } from "./platform";

/** Passages of one request. */
const BATCH = 500;
/** Questions searched in parallel, enough to keep the embedder busy. */
const PARALLEL = 4;
/** More than enough chunks for ten passages. */
const TOP_K = 50;
const POLL_MS = 500;

export const METHODS = ["keyword", "vector", "hybrid"] as const satisfies RetrievalSettings["mode"][];
export type Method = (typeof METHODS)[number];

export interface CorpusIndex {
  index: RagIndex;
  /** Id of the passage by id of its document. */
  passages: Map<string, string>;
}

/** Adds each passage as a document of the index of the corpus's name, and waits until all are searchable. */
export const ingestCorpus = async ({ call }: Platform, { name, passages }: LabelledCorpus): Promise<CorpusIndex> => {
  const { data } = await call<RagIndexPage>("GET", "/v1/rag/indexes?limit=100");
  const index = data.find((each) => each.name === name) ?? (await call<RagIndex>("POST", "/v1/rag/indexes", { name }));
  const passageOf = new Map<string, string>();
  for (let from = 0; from < passages.length; from += BATCH) {
    const some = passages.slice(from, from + BATCH);
    const documents = some.map(({ id, title, text }) => ({
      source: id,
      title: title?.trim() ? title.slice(0, 500) : undefined,
      text,
      media_type: "text/plain",
    }));
    const added = await call<AddedDocuments>("POST", `/v1/rag/indexes/${index.id}/documents`, { documents });
    for (const [at, document] of added.documents.entries()) passageOf.set(document.id, some[at]?.id ?? "");
  }
  const draw = drawProgress(process.stderr);
  for (;;) {
    const { active, failed_documents, last_error, status } = await call<RagIndex>("GET", `/v1/rag/indexes/${index.id}`);
    const done = active.documents + failed_documents;
    draw({ task: `reading ${name}`, done, total: passages.length, unit: "passages" });
    if (status === "ingesting") {
      await sleep(POLL_MS);
      continue;
    }
    if (failed_documents > 0) {
      const reason = last_error?.message ?? "unknown reason";
      throw new AppError("invalid_request", `${failed_documents} passages of ${name} can't be searched: ${reason}`);
    }
    return { index, passages: passageOf };
  }
};

/** Searches every question by each method. A passage counts once, at its best chunk. */
export const searchCorpus = async (
  { call }: Platform,
  { name, queries }: LabelledCorpus,
  { index, passages }: CorpusIndex,
): Promise<Record<Method, SearchedQuery[]>> => {
  const progress = countProgress(`searching ${name}`, METHODS.length * queries.length, "questions");
  const search = (mode: Method) =>
    inOrder(queries, PARALLEL, async ({ id, query, kind, relevant }): Promise<SearchedQuery> => {
      const body: RagQuery = {
        index: index.id,
        question: query,
        generate: false,
        retrieval: { ...DEFAULT_RETRIEVAL, mode, top_k: TOP_K },
      };
      const { chunks, threshold } = await call<RagAnswer>("POST", "/v1/rag/query", body);
      progress.step();
      const scores = new Map<string, number>();
      for (const { document_id, scores: score } of chunks) {
        const passage = passages.get(document_id) ?? document_id;
        if (!scores.has(passage)) scores.set(passage, score.final);
      }
      const best = threshold?.best ?? null;
      return { id, kind, relevant, ranked: [...scores.keys()], scores: [...scores.values()], best };
    });
  const found = { keyword: await search("keyword"), vector: await search("vector"), hybrid: await search("hybrid") };
  progress.clear();
  return found;
};
