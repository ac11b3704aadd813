import { databaseOptions, openDb } from "../db/client";
import { takeLease } from "../db/leases";
import { migrate } from "../db/migrate";
import type { Config } from "../lib/config";
import { localUrl } from "../lib/local-url";
import type { Log } from "../lib/log";
import { ActiveRequests } from "./active-requests";
import { layeredCache } from "./adapters/cache-layered";
import { memoryCache } from "./adapters/cache-memory";
import { redisCache } from "./adapters/cache-redis";
import { http2Engine } from "./adapters/engine-http2";
import { createApp } from "./app";
import { createNamespaces } from "./cache/namespaces";
import { createAnswerCache } from "./cache/service";
import { createChat } from "./chat/service";
import { closeAll } from "./closing";
import { createConversations } from "./conversations/service";
import { createTransfer } from "./conversations/transfer";
import { createImports } from "./datasets/imports";
import { createDatasets } from "./datasets/service";
import { createEmbeddings } from "./embeddings/service";
import { RunningEvals } from "./evals/running";
import { ScoringThread } from "./evals/scoring-thread/scoring-thread";
import { createEvals } from "./evals/service";
import { createEvalTransfer } from "./evals/transfer";
import { createAgreement } from "./evaluators/agreement";
import { createEvaluators } from "./evaluators/service";
import { createFeedback } from "./feedback/service";
import { createHealth } from "./health/service";
import { createIdempotency } from "./idempotency/service";
import { createJobs } from "./jobs/service";
import { createKeys } from "./keys/service";
import { createLabels } from "./labels/service";
import { createLedger } from "./limits/ledger";
import { createMetrics } from "./metrics/service";
import { createModels } from "./models/registry";
import { createPrompts } from "./prompts/service";
import type { Services } from "./services";
import { createSessions } from "./sessions/service";
import { createUploads } from "./uploads/service";

export interface Composition {
  app: ReturnType<typeof createApp>;
  services: Services;
  /** The admin key of the first run; undefined when there was one already, or the environment gives it. */
  createdAdminKey: string | undefined;
  /** Connects to nodes and cache, in the background: none of them has to be there yet. */
  open(): Promise<void>;
  /** Lets running generations end for at most `graceMs`, then closes everything. Throws when a part could not be closed. */
  close(graceMs: number): Promise<void>;
}

const nodeUrls = ({ gateway, node }: Config): string[] => {
  if (gateway.nodes.length > 0) return gateway.nodes;
  return [localUrl(node.tlsCert ? "https" : "http", node.host, node.port)];
};

/**
 * Wires the gateway: the only file that names a concrete adapter. Opens and migrates the database; everything else
 * stays closed until `open`.
 */
export const compose = async (config: Config, log: Log): Promise<Composition> => {
  const db = await openDb(databaseOptions(config), log);
  await migrate(db);

  const { maxBytes } = config.cache;
  const { redisUrl } = config.store;
  const cache = redisUrl ? layeredCache(redisCache(redisUrl, { log }), { maxBytes }) : memoryCache({ maxBytes });
  const engine = http2Engine({
    urls: nodeUrls(config),
    token: config.gateway.nodeToken,
    connectionsPerNode: config.gateway.nodeConnections,
    timeouts: config.timeouts,
  });

  const keys = createKeys({ db, config });
  const activeRequests = new ActiveRequests();
  const sessions = createSessions({ db, keys });
  const ledger = createLedger();
  const models = createModels({ engine, defaults: config.models });
  const namespaces = createNamespaces({ db, log });
  const answers = createAnswerCache({ cache, config, namespaces, log });
  const jobs = createJobs({ db });
  const health = createHealth({
    engine,
    cache,
    jobs,
    log,
    pingDatabase: async () => db.get("SELECT 1"),
    writeDatabase: () => takeLease(db, "write-probe", "gateway", new Date(), 0),
  });
  const metrics = createMetrics({ engine, answers, degradations: health.degradations, jobs });
  const chat = createChat({
    engine,
    models,
    answers,
    recorder: metrics,
    totalMs: config.timeouts.totalMs,
    cacheEnabled: config.cache.enabled,
  });
  const embeddings = createEmbeddings({ engine, models, answers, recorder: metrics, totalMs: config.timeouts.totalMs });
  const conversations = createConversations({ db, chat, models, log, activeRequests });
  const uploads = createUploads({ db, maxBytes: config.datasets.maxUploadBytes });
  const datasets = createDatasets({ db });
  const imports = createImports({ db, datasets, jobs, uploads });
  const prompts = createPrompts({ db });
  const evaluators = createEvaluators({ db });
  const reference = new ScoringThread();
  const evals = createEvals({ db, chat, datasets, engine, evaluators, log, prompts, reference });

  const services: Services = {
    config,
    log,
    engine,
    keys,
    activeRequests,
    sessions,
    ledger,
    models,
    cache,
    namespaces,
    answers,
    metrics,
    chat,
    embeddings,
    conversations,
    uploads,
    datasets,
    imports,
    prompts,
    evaluators,
    agreement: createAgreement({ db, evaluators }),
    evals,
    evalTransfer: createEvalTransfer({ db }),
    runningEvals: new RunningEvals({ evals, activeRequests }),
    labels: createLabels({ db }),
    feedback: createFeedback({ db, imports, uploads }),
    idempotency: createIdempotency({ db, log }),
    transfer: createTransfer({ db }),
    health,
  };
  const { created } = await keys.bootstrap();
  return {
    app: createApp(services),
    services,
    createdAdminKey: created,
    async open() {
      await Promise.all([engine.open(), cache.open(), namespaces.open()]);
      health.degradations.open();
      activeRequests.open(keys, log);
    },
    async close(graceMs) {
      const until = performance.now() + graceMs;
      health.degradations.close();
      activeRequests.close();
      const steps = {
        conversations: () => conversations.close(graceMs),
        scoring: () => reference.close(),
        engine: () => engine.close(Math.max(0, until - performance.now())),
        namespaces: () => namespaces.close(),
        cache: () => cache.close(),
        sessions: () => sessions.close(),
        keys: () => keys.close(),
        database: () => db.close(),
      };
      await closeAll(steps, log);
    },
  };
};
