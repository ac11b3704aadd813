import { Elysia } from "elysia";
import type { Config } from "../lib/config";
import type { Log } from "../lib/log";
import { errorPage } from "../views/error";
import { pageRoutes } from "../views/routes";
import { sessionCookie } from "../views/session";
import type { ActiveRequests } from "./active-requests";
import { batchEvalRoutes } from "./batch-evals/routes";
import type { Namespaces } from "./cache/namespaces";
import { cacheRoutes } from "./cache/routes";
import type { AnswerCacheService } from "./cache/service";
import { chatRoutes } from "./chat/routes";
import type { ChatService } from "./chat/service";
import { compareRoutes } from "./compare/routes";
import { conversationRoutes } from "./conversations/routes";
import type { ConversationService } from "./conversations/service";
import type { ConversationTransfer } from "./conversations/transfer";
import type { Imports } from "./datasets/imports";
import { datasetRoutes } from "./datasets/routes";
import type { DatasetService } from "./datasets/service";
import { embeddingRoutes } from "./embeddings/routes";
import type { EmbeddingService } from "./embeddings/service";
import { evalRoutes } from "./evals/routes";
import type { RunningEvals } from "./evals/running";
import type { EvalService } from "./evals/service";
import type { EvalTransfer } from "./evals/transfer";
import type { AgreementService } from "./evaluators/agreement";
import { evaluatorRoutes } from "./evaluators/routes";
import type { EvaluatorService } from "./evaluators/service";
import { feedbackRoutes } from "./feedback/routes";
import type { FeedbackService } from "./feedback/service";
import { healthRoutes } from "./health/routes";
import type { Health } from "./health/service";
import { openApiRoutes } from "./http/openapi/routes";
import { http } from "./http/plugin";
import type { Idempotency } from "./idempotency/service";
import { keyRoutes } from "./keys/routes";
import type { KeysService } from "./keys/service";
import { labelRoutes } from "./labels/routes";
import type { LabelService } from "./labels/service";
import type { Ledger } from "./limits/ledger";
import { limitRoutes } from "./limits/routes";
import { metricsRoutes } from "./metrics/routes";
import type { Metrics } from "./metrics/service";
import type { Models } from "./models/registry";
import { modelRoutes } from "./models/routes";
import { nodeRoutes } from "./nodes/routes";
import type { Cache } from "./ports/cache";
import type { Engine } from "./ports/engine";
import { promptRoutes } from "./prompts/routes";
import type { PromptService } from "./prompts/service";
import { ragRoutes } from "./rag/routes";
import type { SessionService } from "./sessions/service";
import type { Uploads } from "./uploads/service";

/** Everything that routes and pages call. */
export interface Services {
  config: Config;
  log: Log;
  engine: Engine;
  keys: KeysService;
  activeRequests: ActiveRequests;
  sessions: SessionService;
  ledger: Ledger;
  models: Models;
  cache: Cache;
  namespaces: Namespaces;
  answers: AnswerCacheService;
  metrics: Metrics;
  chat: ChatService;
  embeddings: EmbeddingService;
  conversations: ConversationService;
  uploads: Uploads;
  datasets: DatasetService;
  imports: Imports;
  prompts: PromptService;
  evaluators: EvaluatorService;
  agreement: AgreementService;
  evals: EvalService;
  evalTransfer: EvalTransfer;
  runningEvals: RunningEvals;
  labels: LabelService;
  feedback: FeedbackService;
  idempotency: Idempotency;
  transfer: ConversationTransfer;
  health: Health;
}

/** The gateway's HTTP, built of services. It does no I/O of its own, so that tests build it too. */
export const createApp = (services: Services) => {
  const { config, log, keys, sessions, ledger, metrics } = services;
  // Unknown fields are refused, not dropped; a schema is a promise about the whole body.
  const app = new Elysia({ name: "groundwire", normalize: false });
  return app
    .use(
      http({
        verifyKey: (authorization) => keys.verify(authorization),
        verifySession(request) {
          const cookie = sessionCookie(request, config.gateway.publicUrl);
          return cookie === undefined ? undefined : sessions.verify(cookie);
        },
        reserve: (principal, isCounted) => (isCounted ? ledger.reserve(principal) : ledger.look(principal)),
        recorder: metrics,
        activeRequests: services.activeRequests,
        log,
        degraded: () => services.health.degradations.header(),
        bodyLimits: { maxBytes: config.gateway.maxBodyBytes, maxUploadBytes: config.datasets.maxUploadBytes },
        publicUrl: config.gateway.publicUrl,
        corsOrigins: config.gateway.corsOrigins,
        routes: () => app.routes,
        page: errorPage,
      }),
    )
    .use(healthRoutes(services))
    .use(chatRoutes(services))
    .use(modelRoutes(services))
    .use(nodeRoutes(services))
    .use(keyRoutes(services))
    .use(limitRoutes(services))
    .use(cacheRoutes(services))
    .use(metricsRoutes(services))
    .use(conversationRoutes(services))
    .use(embeddingRoutes(services))
    .use(ragRoutes)
    .use(datasetRoutes(services))
    .use(evalRoutes(services))
    .use(batchEvalRoutes)
    .use(compareRoutes)
    .use(feedbackRoutes(services))
    .use(labelRoutes(services))
    .use(promptRoutes(services))
    .use(evaluatorRoutes(services))
    .use(openApiRoutes({ app: () => app, publicUrl: config.gateway.publicUrl }))
    .use(pageRoutes(services));
};
