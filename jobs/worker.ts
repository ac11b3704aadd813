import { availableParallelism } from "node:os";
import { join } from "node:path";
import { databaseOptions, openDb } from "../db/client";
import { groupCommits } from "../db/group-commit";
import { migrate } from "../db/migrate";
import { configuredVectors } from "../gateway/adapters/vectors-upstash";
import { createBatches } from "../gateway/batches/service";
import { createImageRules } from "../gateway/chat/images";
import { ScoringPool } from "../gateway/evals/scoring-thread/scoring-pool";
import { createEvaluators } from "../gateway/evaluators/service";
import { FiguresThread } from "../gateway/figures/figures-thread";
import { createFiles } from "../gateway/files/service";
import { createIdempotency } from "../gateway/idempotency/service";
import { createPrompts } from "../gateway/prompts/service";
import { indexOpener } from "../gateway/rag/indexes/open-index";
import { createResponseStore } from "../gateway/responses/store";
import { createUploads } from "../gateway/uploads/service";
import { createAddressRules } from "../gateway/webhooks/addresses";
import { createSender } from "../gateway/webhooks/send";
import type { Config } from "../lib/config";
import { collectEarly } from "../lib/garbage";
import { localUrl } from "../lib/local-url";
import type { Log } from "../lib/log";
import { openTracer } from "../lib/tracing/open-tracer";
import { batchEvals } from "./batch-evals/handlers";
import { batchRecompute } from "./batch-evals/recompute";
import { batchRequests } from "./batches/handler";
import { datasetImport } from "./dataset-import";
import { createGatewayClient } from "./gateway-client";
import { JobLoop } from "./loop";
import { ragBuild } from "./rag-build";
import { ragIngest } from "./rag-ingest";
import { PIPELINE } from "./rag-pipeline";
import { createVectorUpload } from "./vector-upload";
import { webhookDelivery } from "./webhook-delivery";

/** One core is left for the event loop and the database. */
const SCORING_THREADS = Math.max(1, Math.min(4, availableParallelism() - 1));

const gatewayUrl = ({ gateway, jobs }: Config): string =>
  jobs.gatewayUrl?.replace(/\/+$/, "") ?? localUrl("http", gateway.host, gateway.port);

export interface JobsWorker {
  /** Stops claiming, waits up to `graceMs` for running tasks, requeues the rest, and closes the database. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Starts a worker and resolves when it is ready for work. Any number of workers, on any machine, may share a database.
 */
export const startWorker = async (config: Config, log: Log, pipeline = PIPELINE): Promise<JobsWorker> => {
  const db = groupCommits(await openDb(databaseOptions(config), log));
  const scoring = new ScoringPool(SCORING_THREADS);
  const figures = new FiguresThread(databaseOptions(config));
  const tracer = await openTracer("jobs", config, log);
  const stopCollecting = collectEarly(() => true);
  const closeAll = async () => {
    stopCollecting();
    await tracer?.close();
    scoring.close();
    figures.close();
    await db.close();
  };
  try {
    await migrate(db);
    const uploads = createUploads({ db, maxBytes: config.datasets.maxUploadBytes });
    const idempotency = createIdempotency({ db, log });
    const responses = createResponseStore({ db, ...config.responses, maxBytes: config.gateway.maxMediaBodyBytes });
    const gateway = createGatewayClient({ url: gatewayUrl(config), token: () => loop.workerToken });
    const vectors = configuredVectors(config.store);
    const upload = vectors && createVectorUpload({ db, vectors, log });
    const rag = { ...pipeline, db, uploads, gateway, vectors, log };
    const batch = {
      ...{ db, gateway, log, tracer, reference: scoring, defaults: config.gateway },
      prompts: createPrompts({ db }),
      evaluators: createEvaluators({ db }),
      indexes: indexOpener(db, vectors?.id),
      computeFigures: (runId: string) => figures.compute(runId),
    };
    const { batches: batchSettings, gateway: defaults } = config;
    const { fileDays: days } = batchSettings;
    const requests = {
      ...{ db, gateway, log },
      // Results may be larger than the requests.
      uploads: createUploads({ db, maxBytes: Number.MAX_SAFE_INTEGER }),
      settings: {
        ...batchSettings,
        ...{ maxLineBytes: defaults.maxBodyBytes, fallbacks: config.models.fallbacks, defaults },
        images: createImageRules(defaults.imageHosts),
      },
    };
    const { networks: allowedNetworks, http: allowsHttp } = config.webhooks;
    const send = createSender(createAddressRules({ allowedNetworks, allowsHttp }));
    const loop: JobLoop = new JobLoop({
      db,
      log,
      tracer,
      leaseMs: config.jobs.leaseMs,
      handlers: [
        datasetImport({ db, uploads, config, spoolDir: join(config.dataDir, "spool") }),
        ragIngest(rag),
        ragBuild(rag),
        batchEvals(batch),
        batchRecompute(batch),
        batchRequests(requests),
        webhookDelivery({ db, send, log }),
      ],
      sweeps: [
        ...[idempotency.sweep, uploads.sweep, responses.sweep, async () => upload?.start()],
        ...[createFiles({ db, uploads, days }).sweep, createBatches({ db, days }).sweep],
      ],
    });
    await loop.open();
    upload?.start();
    log.info({ worker: loop.workerId }, "worker is ready");
    return {
      async close(graceMs = config.jobs.drainMs) {
        await upload?.close();
        await loop.close(graceMs).finally(closeAll);
        log.info("closed");
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
};
