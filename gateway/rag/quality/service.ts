import type { Db } from "../../../db/client";
import { listMatchingDocuments } from "../../../db/documents";
import { AppError } from "../../../lib/errors";
import { inOrder } from "../../../lib/in-order";
import type { Call } from "../../call";
import type { Models } from "../../models/registry";
import type { RetrievalSettings } from "../../retrieval-contract";
import { defaultThreshold, mergeRetrieval } from "../indexes/defaults";
import type { Hit } from "../query/hits";
import { findReranker } from "../query/rerank";
import { compareScore, findHits, type Indexes, type OpenIndex, type RetrieveDeps } from "../query/retrieve";
import { compareMeasured } from "./compare";
import type {
  CalibrateIndex,
  CompareVersions,
  IndexCalibration,
  LabelledQuestion,
  QuestionMetrics,
  VersionComparison,
} from "./contract";
import { meanShare, ndcgAt, recallAt, reciprocalRank } from "./metrics";
import { bestOutcome, thresholdCurve } from "./threshold";

/** Number of questions searched in parallel: enough to keep the embedding model busy. */
const PARALLEL = 8;
/** Names looked up per statement. */
const NAMES_AT_ONCE = 500;

interface QualityDeps extends Omit<RetrieveDeps, "scoring"> {
  db: Db;
  models: Pick<Models, "resolve">;
  indexes: Indexes;
}

export type RetrievalQuality = ReturnType<typeof createRetrievalQuality>;

/** Measures retrieval on labelled questions. Changes nothing. Throws unavailable if a search is degraded. */
export const createRetrievalQuality = (deps: QualityDeps) => {
  /** Replaces names of documents by their ids. Throws invalid_request for a name that the index doesn't have. */
  const resolve = async (indexId: string, questions: readonly LabelledQuestion[]): Promise<Labels[]> => {
    const names = [...new Set(questions.flatMap(({ relevant }) => relevant))];
    const ids = new Map<string, string[]>();
    for (let at = 0; at < names.length; at += NAMES_AT_ONCE) {
      const some = names.slice(at, at + NAMES_AT_ONCE);
      const found = await listMatchingDocuments(deps.db, indexId, { ids: some, sources: some, hashes: [] });
      for (const { id, source } of found) {
        for (const name of [id, source ?? id]) ids.set(name, [...(ids.get(name) ?? []), id]);
      }
    }
    return questions.map(({ relevant }, position) => {
      const labels = { documents: new Set<string>(), chunks: new Set<string>() };
      for (const [place, name] of relevant.entries()) {
        const documents = ids.get(name);
        if (documents) for (const id of documents) labels.documents.add(id);
        else if (name.startsWith("chunk_")) labels.chunks.add(name);
        else throw unknownDocument(name, `questions.${position}.relevant.${place}`);
      }
      return labels;
    });
  };

  const search = async (
    call: Call,
    index: OpenIndex,
    settings: RetrievalSettings,
    { question }: LabelledQuestion,
    labels: Labels,
  ) => {
    const found = await findHits(deps, call, index, settings, { question });
    if (found.degraded) throw degraded();
    return { found, metrics: metricsOf(found.hits, labels, settings.top_k) };
  };

  return {
    /**
     * Searches every question in a version of the index, with these settings, and suggests the threshold with the best
     * balanced accuracy. Throws not_found, conflict if the version is not ready, invalid_request for an unknown document,
     * and what `embedQuery` throws.
     */
    async calibrate(
      call: Call,
      idOrName: string,
      { questions, retrieval, version }: CalibrateIndex,
    ): Promise<IndexCalibration> {
      const index = await deps.indexes.open(call.principal, idOrName, version);
      const settings = mergeRetrieval(index.retrieval, retrieval);
      findReranker(deps.models, call.principal, settings);
      const threshold = settings.threshold ?? defaultThreshold(settings);
      const labels = await resolve(index.id, questions);
      const searched = await inOrder(questions, PARALLEL, async (asked, at) => {
        const { found, metrics } = await search(call, index, settings, asked, labels[at] ?? NO_LABELS);
        return { metrics, compared: compareScore({ threshold }, found) };
      });
      const answerable = searched.flatMap(({ metrics }) => metrics ?? []);
      const hasScore = searched.every(({ compared }) => compared !== null);
      const bestOf = (isAnswerable: boolean) =>
        searched
          .filter(({ metrics }) => (metrics !== null) === isAnswerable)
          .map(({ compared }) => compared?.best ?? null);
      const curve = hasScore ? thresholdCurve({ answerable: bestOf(true), unanswerable: bestOf(false) }) : [];
      const mean = (metric: keyof QuestionMetrics) => meanShare(answerable.map((metrics) => metrics[metric]));
      return {
        answerable: answerable.length,
        unanswerable: searched.length - answerable.length,
        recall_at_k: mean("recall_at_k"),
        mrr: mean("mrr"),
        ndcg_at_k: mean("ndcg_at_k"),
        k: settings.top_k,
        score: hasScore ? threshold.score : null,
        curve,
        suggested: bestOutcome(curve),
      };
    },

    /**
     * Searches every question that has relevant documents in two versions, with the same settings. Throws what
     * `calibrate` throws, and invalid_request for labelled chunks and without any question to compare.
     */
    async compare(call: Call, idOrName: string, request: CompareVersions): Promise<VersionComparison> {
      const { questions, retrieval } = request;
      const a = await deps.indexes.open(call.principal, idOrName, request.a);
      const b = await deps.indexes.open(call.principal, idOrName, request.b);
      if (a.version === b.version) {
        throw new AppError("invalid_request", `a and b are both version ${a.version}. Choose two different versions.`, {
          param: "b",
        });
      }
      const settings = mergeRetrieval(a.retrieval, retrieval);
      findReranker(deps.models, call.principal, settings);
      const labels = await resolve(a.id, questions);
      const chunk = labels.findIndex(({ chunks }) => chunks.size > 0);
      if (chunk >= 0) {
        const message = "A chunk belongs to one version. To compare versions, label the document instead.";
        throw new AppError("invalid_request", message, { param: `questions.${chunk}.relevant` });
      }
      const compared = questions.flatMap((asked, position) => {
        const relevant = labels[position];
        return relevant && relevant.documents.size > 0 ? [{ asked, position, relevant }] : [];
      });
      if (compared.length === 0) {
        const message = "No question has a relevant document. Label at least one question with the document to find.";
        throw new AppError("invalid_request", message, { param: "questions" });
      }
      const measured = await inOrder(compared, PARALLEL, async ({ asked, position, relevant }) => {
        const metrics = async (index: OpenIndex) =>
          (await search(call, index, settings, asked, relevant)).metrics ?? NOT_FOUND;
        return { position, question: asked.question, a: await metrics(a), b: await metrics(b) };
      });
      const versions = { a: a.version, b: b.version, k: settings.top_k };
      return { ...compareMeasured(versions, measured), left_out: questions.length - measured.length };
    },
  };
};

/** The ids that answer a question; both empty if nothing does. */
interface Labels {
  documents: ReadonlySet<string>;
  chunks: ReadonlySet<string>;
}

const NO_LABELS: Labels = { documents: new Set(), chunks: new Set() };
const NOT_FOUND: QuestionMetrics = { ndcg_at_k: 0, recall_at_k: 0, mrr: 0 };

const degraded = (): AppError =>
  new AppError(
    "unavailable",
    "The vector store or the reranker is down, or the vector store lacks vectors of this index. Try again later.",
  );

const unknownDocument = (name: string, param: string): AppError =>
  new AppError("invalid_request", `No document of this index has the id or file name "${name}".`, { param });

/** null for a question without labels. */
const metricsOf = (hits: readonly Hit[], labels: Labels, k: number): QuestionMetrics | null => {
  const relevant = new Set([...labels.documents, ...labels.chunks]);
  if (relevant.size === 0) return null;
  const ranked = rankedIds(labels, hits.slice(0, k));
  return {
    ndcg_at_k: ndcgAt(ranked, relevant, k),
    recall_at_k: recallAt(ranked, relevant, k),
    mrr: reciprocalRank(ranked, relevant, k),
  };
};

/** Ids to compare with the labels, best first, each once: document ids if a document is labelled, except for labelled chunks. */
const rankedIds = ({ documents, chunks }: Labels, hits: readonly Hit[]): string[] => {
  const ids = hits.map(({ id, document }) => (documents.size > 0 && !chunks.has(id) ? document : id));
  return [...new Set(ids)];
};
