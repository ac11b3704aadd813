import { type Db, databaseOptions, openDb } from "../db/client";
import { addLimitUsage, listLimitUsage } from "../db/limit-usage";
import { migrate } from "../db/migrate";
import type { Config } from "../lib/config";
import { collectEarly } from "../lib/garbage";
import { localUrl } from "../lib/local-url";
import type { Log } from "../lib/log";
import { openTracer } from "../lib/tracing/open-tracer";
import { layeredCache } from "./adapters/cache-layered";
import { memoryCache } from "./adapters/cache-memory";
import { redisCache } from "./adapters/cache-redis";
import { http2Engine } from "./adapters/engine-http2";
import { memoryLedger } from "./adapters/ledger-memory";
import { redisLedger } from "./adapters/ledger-redis";
import { configuredVectors } from "./adapters/vectors-upstash";
import { createApp } from "./app";
import { closeAll } from "./closing";
import { ScoringThread } from "./evals/scoring-thread/scoring-thread";
import { FiguresThread } from "./figures/figures-thread";
import { SearchThread } from "./rag/search/search-thread";
import type { SearchWorkerOptions } from "./rag/search/worker";
import { createServices } from "./services";
import { OutageWatch } from "./webhooks/outage-watch";

const nodeUrls = ({ gateway, node }: Config): string[] =>
  gateway.nodes.length > 0 ? gateway.nodes : [localUrl(node.tlsCert ? "https" : "http", node.host, node.port)];

/** The ledger of one gateway, whose budgets survive a restart. */
const storedLedger = (db: Db, log: Log) =>
  memoryLedger({
    storage: {
      load: (nowMs) => listLimitUsage(db, nowMs),
      add: (rows) => addLimitUsage(db, rows, Date.now()),
    },
    onError: (err) => log.warn({ err }, "could not save what keys used of their budgets; trying again"),
  });

/**
 * Wires the gateway. This is the only file that names a concrete adapter. Opens and migrates the database; everything
 * else is opened by `open`.
 */
export const compose = async (config: Config, log: Log) => {
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
  const reference = new ScoringThread();
  const searchWorker = new URL("./rag/search/worker.ts", import.meta.url);
  const vectors = configuredVectors(config.store);
  const options: SearchWorkerOptions = { database: databaseOptions(config), hasVectorStore: vectors !== undefined };
  const search = new SearchThread(() => new Worker(searchWorker, { argv: [JSON.stringify(options)] }));
  const figures = new FiguresThread(databaseOptions(config));
  const usage = redisUrl ? redisLedger(redisUrl, { log }) : storedLedger(db, log);
  const tracer = await openTracer("gateway", config, log);
  const services = createServices({
    config,
    log,
    tracer,
    db,
    cache,
    engine,
    usage,
    reference,
    search,
    figures,
    vectors,
  });
  const { keys, sessions, namespaces, conversations, activeRequests, health, metrics, requests, audit } = services;
  const outages = new OutageWatch({
    ...{ db, log },
    nodes: () => engine.nodes(),
    degradations: () => health.degradations.list(),
  });
  const { created } = await keys.bootstrap();
  let stopCollecting = () => {};
  return {
    app: createApp(services),
    services,
    /** The admin key created on the first run; undefined if one already existed or is set in the environment. */
    createdAdminKey: created,
    /** Connects to the nodes and the cache in the background. They don't have to be running yet. */
    async open() {
      await Promise.all([engine.open(), cache.open(), usage.open(), namespaces.open()]);
      health.degradations.open();
      metrics.open();
      requests.open();
      audit.open();
      activeRequests.open(keys, log);
      stopCollecting = collectEarly(() => activeRequests.hadOnlyBatches());
      outages.open();
      services.budgets.open();
    },
    /** Waits up to `graceMs` for running generations, then closes everything. Throws if any part fails to close. */
    async close(graceMs: number) {
      const until = performance.now() + graceMs;
      health.degradations.close();
      activeRequests.close();
      stopCollecting();
      const steps = {
        outages: () => outages.close(),
        budgets: () => services.budgets.close(),
        conversations: () => conversations.close(graceMs),
        scoring: () => reference.close(),
        figures: () => figures.close(),
        search: () => search.close(),
        engine: () => engine.close(Math.max(0, until - performance.now())),
        namespaces: () => namespaces.close(),
        cache: () => cache.close(),
        sessions: () => sessions.close(),
        usage: () => usage.close(),
        keys: () => keys.close(),
        metrics: () => metrics.close(),
        requests: () => requests.close(),
        audit: () => audit.close(),
        database: () => db.close(),
        tracing: () => tracer?.close(),
      };
      await closeAll(steps, log);
    },
  };
};

export type Composition = Awaited<ReturnType<typeof compose>>;
