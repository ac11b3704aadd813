import { appendAudit } from "../db/audit";
import type { Db } from "../db/client";
import { groupCommits } from "../db/group-commit";
import { takeLease } from "../db/leases";
import type { Config } from "../lib/config";
import type { Log } from "../lib/log";
import type { Tracer } from "../lib/tracing/tracer";
import { ActiveRequests } from "./active-requests";
import { createAudit } from "./audit/service";
import { createBatchExports } from "./batch-evals/export/service";
import { createBatchEvals } from "./batch-evals/service";
import { createBatches } from "./batches/service";
import { createNamespaces } from "./cache/namespaces";
import { createAnswerCache } from "./cache/service";
import { createImageRules } from "./chat/images";
import { createChat } from "./chat/service";
import { createCompare } from "./compare/service";
import { createConversations } from "./conversations/service";
import { createTransfer } from "./conversations/transfer";
import { createImports } from "./datasets/imports";
import { createDatasets } from "./datasets/service";
import { createEmbeddings } from "./embeddings/service";
import { createTokenCounter } from "./embeddings/tokens";
import { RunningEvals } from "./evals/running";
import type { ScoringThread } from "./evals/scoring-thread/scoring-thread";
import { createEvals } from "./evals/service";
import { createEvalTransfer } from "./evals/transfer";
import { createAgreement } from "./evaluators/agreement";
import { createEvaluators } from "./evaluators/service";
import { createFeedback } from "./feedback/service";
import type { FiguresThread } from "./figures/figures-thread";
import { createFiles } from "./files/service";
import { drillEffects, drilledEngine, noEffectReasons } from "./health/drills";
import { createHealth } from "./health/service";
import { createIdempotency } from "./idempotency/service";
import { createJobs } from "./jobs/service";
import { createKeys } from "./keys/service";
import { createLabels } from "./labels/service";
import { BudgetWatch } from "./limits/budget-watch";
import { createLedger } from "./limits/ledger";
import { createMcp } from "./mcp/service";
import { slotsOf } from "./metrics/gauges";
import { createMetrics } from "./metrics/service";
import { createModels } from "./models/registry";
import type { Cache } from "./ports/cache";
import type { Engine } from "./ports/engine";
import type { LedgerStore } from "./ports/ledger";
import type { VectorStore } from "./ports/vectors";
import { createPrompts } from "./prompts/service";
import { createDocuments } from "./rag/indexes/documents";
import { createSampleIndex } from "./rag/indexes/sample";
import { createIndexes } from "./rag/indexes/service";
import { createVectorStore } from "./rag/indexes/store";
import { createVersions } from "./rag/indexes/versions";
import { createRetrievalQuality } from "./rag/quality/service";
import { createPassages } from "./rag/query/passages";
import { createRag } from "./rag/query/service";
import { createRagTarget } from "./rag/query/target";
import { drilledSearch } from "./rag/search/drilled-search";
import { MonitoredVectors } from "./rag/search/monitored-vectors";
import type { SearchThread } from "./rag/search/search-thread";
import { storeSearch } from "./rag/search/store-search";
import { createRequests } from "./requests/service";
import { createReranking } from "./rerank/service";
import { createResponses } from "./responses/service";
import { createResponseStore } from "./responses/store";
import { createSessions } from "./sessions/service";
import { createUploads } from "./uploads/service";
import { createEvents } from "./webhooks/events";
import { createWebhooks } from "./webhooks/service";

interface Foundation {
  config: Config;
  log: Log;
  /** Undefined: nothing is traced. */
  tracer: Tracer | undefined;
  db: Db;
  cache: Cache;
  /** The GPU nodes. */
  engine: Engine;
  usage: LedgerStore;
  reference: ScoringThread;
  search: SearchThread;
  figures: FiguresThread;
  /** Undefined: vectors are searched in memory. */
  vectors: VectorStore | undefined;
}

/** Creates all services for routes and pages. The database must be migrated; the adapters may still be closed. */
export const createServices = (foundation: Foundation) => {
  const { config, log, tracer, db, cache, usage, reference, search, figures, vectors } = foundation;
  const nodes = foundation.engine;
  const { totalMs } = config.timeouts;
  const { busyMaxTokens } = config.gateway;
  const keys = createKeys({ db, config });
  const activeRequests = new ActiveRequests();
  const models = createModels({ engine: nodes, defaults: config.models, fallbacks: config.models.fallbacks });
  const namespaces = createNamespaces({ db, log });
  const jobs = createJobs({ db });
  const monitored = vectors && new MonitoredVectors(vectors);
  const health = createHealth({
    engine: nodes,
    cache,
    jobs,
    vectors: monitored,
    drills: {
      audit: (entry) => db.write((tx) => appendAudit(tx, entry)),
      effects: drillEffects(nodes, cache, usage),
      noEffectReason: noEffectReasons(config, nodes),
    },
    limits: usage,
    log,
    pingDatabase: async () => db.get("SELECT 1"),
    writeDatabase: () => takeLease(db, "write-probe", "gateway", new Date(), 0),
  });
  const { degradations } = health;
  const engine = drilledEngine(nodes, degradations);
  const answers = createAnswerCache({ cache, config, namespaces, degradations, log });
  const searches = drilledSearch(monitored ? storeSearch(search, monitored) : search, () =>
    degradations.isDrill("keyword_only"),
  );
  const events = createEvents({ db });
  const budgets = new BudgetWatch({ store: usage, publish: (event) => events.publish(event), log });
  const slots = () => slotsOf({ engine });
  const ledger = createLedger({ store: usage, price: config.gateway, slots, budgets });
  const computeFigures = ({ id }: { id: string }) => figures.compute(id);
  const metrics = createMetrics({
    db,
    log,
    computeFigures,
    price: config.gateway,
    engine,
    answers,
    degradations,
    jobs,
    ledger,
  });
  const cacheEnabled = config.cache.enabled;
  const images = createImageRules(config.gateway.imageHosts);
  const chat = createChat({
    ...{
      engine,
      ledger,
      models,
      answers,
      recorder: metrics,
      tracer,
      totalMs,
      cacheEnabled,
      busyMaxTokens,
      images,
      degradations,
    },
  });
  const uploads = createUploads({ db, maxBytes: config.datasets.maxUploadBytes });
  const datasets = createDatasets({ db });
  const imports = createImports({ db, datasets, jobs, uploads });
  const indexes = createIndexes({ db, models, forget: (id) => search.drop(id), vectorStore: vectors?.id });
  const documents = createDocuments({ db, indexes, uploads });
  const prompts = createPrompts({ db });
  const evaluators = createEvaluators({ db });
  const embeddings = createEmbeddings({ engine, ledger, models, answers, recorder: metrics, tracer, totalMs });
  const reranking = createReranking({ engine, ledger, models, answers, recorder: metrics, tracer, totalMs });
  const chunks = createPassages(db);
  const rag = createRag({
    chat,
    tracer,
    recordStages: metrics.retrieval,
    answers,
    scoring: reference,
    indexes,
    models,
    prompts,
    embedder: embeddings,
    search: searches,
    chunks,
    reranking,
  });
  const ragTarget = createRagTarget({ rag, indexes });
  const evals = createEvals({
    db,
    chat,
    datasets,
    engine,
    evaluators,
    log,
    prompts,
    rag: ragTarget,
    reference,
    computeFigures,
    degradations,
  });
  return {
    config,
    log,
    tracer,
    engine,
    keys,
    activeRequests,
    sessions: createSessions({ db, keys }),
    ledger,
    models,
    cache,
    namespaces,
    answers,
    metrics,
    chat,
    images,
    // Many responses may finish at the same time, and each waits for its commit.
    responses: createResponses({
      chat,
      models,
      log,
      store: createResponseStore({
        db: groupCommits(db),
        ...config.responses,
        maxBytes: config.gateway.maxMediaBodyBytes,
      }),
    }),
    embeddings,
    reranking,
    rag,
    mcp: createMcp({ rag, indexes }),
    retrievalQuality: createRetrievalQuality({
      db,
      indexes,
      models,
      embedder: embeddings,
      search: searches,
      chunks,
      reranking,
    }),
    vectorStore: createVectorStore({ db, indexes, embeddings, vectors, log }),
    tokens: createTokenCounter({ engine, models, totalMs }),
    conversations: createConversations({ db, chat, models, rag, indexes, log, activeRequests }),
    uploads,
    datasets,
    imports,
    indexes,
    indexVersions: createVersions({ db, indexes, models }),
    documents,
    sampleIndex: createSampleIndex({ indexes, documents, uploads }),
    prompts,
    evaluators,
    agreement: createAgreement({ db, evaluators }),
    evals,
    batchEvals: createBatchEvals({
      ...{ db, datasets, engine, evals, evaluators, models, prompts, computeFigures },
      ...{ indexes, rag: ragTarget, price: config.gateway },
    }),
    files: createFiles({ db, uploads, days: config.batches.fileDays }),
    batches: createBatches({ db, days: config.batches.fileDays }),
    compare: createCompare({
      db,
      compare: (question) => figures.compare(question),
      gate: (question) => figures.gate(question),
    }),
    batchExports: createBatchExports({ db, evaluators, prompts, computeFigures }),
    evalTransfer: createEvalTransfer({ db, computeFigures }),
    runningEvals: new RunningEvals({ evals, activeRequests }),
    labels: createLabels({ db }),
    feedback: createFeedback({ db, imports, uploads }),
    audit: createAudit({ db, log }),
    requests: createRequests({ db, log, config, registry: metrics.registry }),
    idempotency: createIdempotency({ db, log }),
    transfer: createTransfer({ db, indexes }),
    events,
    budgets,
    webhooks: createWebhooks({ db, config }),
    health,
  };
};

export type Services = ReturnType<typeof createServices>;
