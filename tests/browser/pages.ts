import { afterAll } from "bun:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Elysia } from "elysia";
import { openDb } from "../../db/client";
import { migrate } from "../../db/migrate";
import { ActiveRequests } from "../../gateway/active-requests";
import { memoryCache } from "../../gateway/adapters/cache-memory";
import { memoryLedger } from "../../gateway/adapters/ledger-memory";
import { createAudit } from "../../gateway/audit/service";
import { createBatchExports } from "../../gateway/batch-evals/export/service";
import { createBatchEvals } from "../../gateway/batch-evals/service";
import { createBatches } from "../../gateway/batches/service";
import { Comparer } from "../../gateway/compare/comparer";
import { createCompare } from "../../gateway/compare/service";
import { createConversations } from "../../gateway/conversations/service";
import { createImports } from "../../gateway/datasets/imports";
import { createDatasets } from "../../gateway/datasets/service";
import { RunningEvals } from "../../gateway/evals/running";
import { createEvals } from "../../gateway/evals/service";
import { computeFigures } from "../../gateway/evals/summary";
import { createEvalTransfer } from "../../gateway/evals/transfer";
import { createAgreement } from "../../gateway/evaluators/agreement";
import { createEvaluators } from "../../gateway/evaluators/service";
import { createFeedback } from "../../gateway/feedback/service";
import { createFiles } from "../../gateway/files/service";
import { createHealth } from "../../gateway/health/service";
import { http } from "../../gateway/http/plugin";
import { createIdempotency } from "../../gateway/idempotency/service";
import { createJobs } from "../../gateway/jobs/service";
import { createKeys, LOCAL_ACTOR } from "../../gateway/keys/service";
import { createLabels } from "../../gateway/labels/service";
import { createLedger } from "../../gateway/limits/ledger";
import { createMetrics } from "../../gateway/metrics/service";
import { createModels } from "../../gateway/models/registry";
import type { Engine, NodeView } from "../../gateway/ports/engine";
import type { Role } from "../../gateway/principal";
import { createPrompts } from "../../gateway/prompts/service";
import { createRequests } from "../../gateway/requests/service";
import { createSessions } from "../../gateway/sessions/service";
import { createUploads } from "../../gateway/uploads/service";
import { createAddressRules } from "../../gateway/webhooks/addresses";
import { createSender } from "../../gateway/webhooks/send";
import { createWebhooks } from "../../gateway/webhooks/service";
import { datasetImport } from "../../jobs/dataset-import";
import { JobLoop } from "../../jobs/loop";
import { webhookDelivery } from "../../jobs/webhook-delivery";
import type { AppError } from "../../lib/errors";
import { silentLog } from "../../lib/log";
import { defaultConfig } from "../../lib/settings";
import { errorPage } from "../../views/error";
import { pageRoutes } from "../../views/routes";
import { sessionCookie } from "../../views/session";
import { closeWindows } from "./harness";
import { ScriptedChat } from "./scripted-chat";
import { ScriptedRag } from "./scripted-rag";
import { SCRIPTED_SCORER } from "./scripted-scorer";

const READY: NodeView = {
  id: "node-1",
  url: "http://127.0.0.1:8081",
  state: "ready",
  since: new Date("2026-11-23T20:15:00Z"),
  isDrained: false,
  outstanding: 1,
  latencyMs: 0.4,
  readiness: {
    state: "ready",
    engine: "llama node-llama-cpp/3.22.1",
    synthetic: false,
    version: "0.1.0",
    models: [
      {
        ...{ id: "smollm2-135m-instruct", kind: "chat", revision: "b179c9523d0e", context_window: 4096 },
        capabilities: {
          ...{ chat: true, tools: true, vision: false, audio_input: false, reasoning: true, json_schema: true },
          ...{ logprobs: true, max_choices: 1, dimensions: false, rerank: false, max_output_tokens: 4096 },
          extra_fields: [],
        },
      },
    ],
    slots: { total: 8, running: 3 },
    queue: { depth: 0, capacity: 16 },
    machine: {
      cpu: "AMD EPYC 9354 32-Core Processor",
      cores: 16,
      memory: { used_bytes: 9.4e9, total_bytes: 6.4e10 },
      gpu: { names: ["NVIDIA L4"], memory: { used_bytes: 1.8e10, total_bytes: 2.4e10 } },
    },
  },
};

/** Webhooks may use receivers on this machine. */
const HOOKS = { networks: ["127.0.0.0/8"], http: true };

/**
 * Starts the pages with a real database, real keys and sessions. Only the model and the node are fakes. `idleSeconds`:
 * timeout of idle connections.
 */
export const startPages = async ({ idleSeconds }: { idleSeconds?: number } = {}) => {
  const price = { gpuPricePerHour: 2.49, currency: "USD" };
  const dataDir = join(tmpdir(), `groundwire-pages-${process.pid}`);
  const config = { ...defaultConfig({ gateway: price, webhooks: HOOKS }), dataDir };
  const log = silentLog();
  const db = await openDb({ url: ":memory:" }, log);
  await migrate(db);
  const keys = createKeys({ db, config });
  const sessions = createSessions({ db, keys });
  const chat = new ScriptedChat();
  const rag = new ScriptedRag();
  const activeRequests = new ActiveRequests();
  const engine: Engine & { view: NodeView[] } = {
    view: [READY],
    open: async () => {},
    request: () => Promise.reject(new Error("Not used: pages call the chat service.")),
    nodes: () => engine.view,
    drain: () => {},
    check: async () => [],
    close: async () => {},
  };
  const models = createModels({ engine, defaults: config.models });
  const conversations = createConversations({
    db,
    chat,
    models,
    rag: rag.rag,
    indexes: rag.opened,
    log,
    activeRequests,
  });
  activeRequests.open(keys, log);
  const uploads = createUploads({ db, maxBytes: config.datasets.maxUploadBytes });
  const datasets = createDatasets({ db });
  const jobs = createJobs({ db });
  const imports = createImports({ db, datasets, jobs, uploads });
  const prompts = createPrompts({ db });
  const evaluators = createEvaluators({ db });
  const evals = createEvals({
    db,
    chat,
    datasets,
    engine,
    evaluators,
    log,
    prompts,
    rag: rag.target,
    reference: SCRIPTED_SCORER,
  });
  const batchEvals = createBatchEvals({
    ...{ db, datasets, engine, evals, evaluators, models, prompts },
    ...{ indexes: rag.indexes, rag: rag.target },
    computeFigures: (run) => computeFigures(db, run),
    price: config.gateway,
  });
  const comparer = new Comparer(db);
  const compare = createCompare({
    db,
    compare: (question) => comparer.compare(question),
    gate: (question) => comparer.gate(question),
  });
  const evalTransfer = createEvalTransfer({ db });
  const webhooks = createWebhooks({ db, config });
  const labels = createLabels({ db });
  const feedback = createFeedback({ db, imports, uploads });
  const send = createSender(createAddressRules({ allowedNetworks: HOOKS.networks, allowsHttp: HOOKS.http }));
  const handlers = [
    datasetImport({ db, uploads, config, spoolDir: join(config.dataDir, "spool") }),
    webhookDelivery({ db, send, log }),
  ];
  let worker = new JobLoop({ db, log, leaseMs: 30_000, handlers });
  await worker.open();
  const cache = memoryCache({ maxBytes: 1024 });
  const health = createHealth({
    engine,
    cache,
    jobs,
    limits: memoryLedger(),
    log,
    pingDatabase: async () => db.get("SELECT 1"),
    writeDatabase: async () => {},
  });
  const metrics = createMetrics({ db, log, price, engine });
  const audit = createAudit({ db, log });
  const requests = createRequests({ db, log, config, registry: metrics.registry });
  /** The error with which the next requests are rejected. */
  const refusal: { error?: AppError; path?: RegExp } = {};
  const ledger = createLedger({ store: memoryLedger(), price, slots: () => ({ answers: 1, embeddings: 1 }) });

  const app = new Elysia({ normalize: false });
  app
    .use(
      http({
        verifyKey: (authorization) => keys.verify(authorization),
        verifyWorker: (token, keyId) => keys.verifyWorker(token, keyId),
        verifySession(request) {
          const cookie = sessionCookie(request);
          if (refusal.error && refusal.path?.test(new URL(request.url).pathname)) throw refusal.error;
          return cookie === undefined ? undefined : sessions.verify(cookie);
        },
        reserve: (principal, _, route) => ledger.reserve(principal, route),
        recorder: metrics,
        requestLog: requests.log,
        activeRequests,
        log,
        bodyLimits: { maxBytes: config.gateway.maxBodyBytes, maxUploadBytes: config.datasets.maxUploadBytes },
        reduced: () => health.degradations.reduced(),
        routes: () => app.routes,
        page: errorPage,
      }),
    )
    .use(
      pageRoutes({
        config,
        log,
        tracer: undefined,
        audit,
        agreement: createAgreement({ db, evaluators }),
        batchEvals,
        batches: createBatches({ db, days: config.batches.fileDays }),
        batchExports: createBatchExports({ db, evaluators, prompts, computeFigures: (run) => computeFigures(db, run) }),
        chat,
        compare,
        conversations,
        datasets,
        documents: rag.documents,
        engine,
        evals,
        evalTransfer,
        evaluators,
        feedback,
        files: createFiles({ db, uploads, days: config.batches.fileDays }),
        health,
        idempotency: createIdempotency({ db, log }),
        imports,
        indexes: rag.indexes,
        indexVersions: rag.indexVersions,
        keys,
        labels,
        ledger,
        metrics,
        models,
        prompts,
        rag: rag.rag,
        requests,
        retrievalQuality: rag.retrievalQuality,
        runningEvals: new RunningEvals({ evals, activeRequests }),
        sampleIndex: rag.sampleIndex,
        sessions,
        uploads,
        webhooks,
      }),
    )
    .listen({ hostname: "127.0.0.1", port: 0, idleTimeout: idleSeconds });

  return {
    url: `http://127.0.0.1:${app.server?.port}`,
    audit,
    batchEvals,
    chat,
    conversations,
    datasets,
    db,
    engine,
    evals,
    evalTransfer,
    feedback,
    health,
    imports,
    keys,
    labels,
    ledger,
    metrics,
    rag,
    refusal,
    requests,
    sessions,
    uploads,
    webhooks,
    /** Stops the jobs worker; enqueued jobs wait for `startWorker`. */
    stopWorker: () => worker.close(0),
    async startWorker() {
      worker = new JobLoop({ db, log, leaseMs: 30_000, handlers });
      await worker.open();
      await health.degradations.refresh();
    },
    /** Creates a key for each test, so that no test sees another's chats. */
    newKey: async (role: Role, name = `${role} of a test`) => {
      const { key, id } = await keys.create(LOCAL_ACTOR, { name, role });
      return { key, id };
    },
    async stop() {
      activeRequests.close();
      await conversations.close();
      await worker.close(0);
      await app.stop(true);
      await sessions.close();
      await keys.close();
      await db.close();
    },
  };
};

export type Pages = Awaited<ReturnType<typeof startPages>>;

/** Starts pages for all tests of a file, and closes them and the windows after the last test. */
export const openPages = async (options?: Parameters<typeof startPages>[0]): Promise<Pages> => {
  const pages = await startPages(options);
  afterAll(async () => {
    await closeWindows();
    await pages.stop();
  });
  return pages;
};
