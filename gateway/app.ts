import { Elysia } from "elysia";
import { BodyMemory } from "../lib/media-body";
import { errorPage } from "../views/error";
import { renderReport } from "../views/report/report";
import { pageRoutes } from "../views/routes";
import { sessionCookie } from "../views/session";
import { auditRoutes } from "./audit/routes";
import { batchEvalRoutes } from "./batch-evals/routes";
import { batchRoutes } from "./batches/routes";
import { cacheRoutes } from "./cache/routes";
import { chatRoutes } from "./chat/routes";
import { compareRoutes } from "./compare/routes";
import { conversationRoutes } from "./conversations/routes";
import { datasetRoutes } from "./datasets/routes";
import { embeddingRoutes } from "./embeddings/routes";
import { evalRoutes } from "./evals/routes";
import { evaluatorRoutes } from "./evaluators/routes";
import { feedbackRoutes } from "./feedback/routes";
import { fileRoutes } from "./files/routes";
import { degradedRoutes, healthRoutes } from "./health/routes";
import { openApiRoutes } from "./http/openapi/routes";
import { http } from "./http/plugin";
import { keyRoutes } from "./keys/routes";
import { labelRoutes } from "./labels/routes";
import { limitRoutes } from "./limits/routes";
import { mcpRoutes } from "./mcp/routes";
import { messageRoutes } from "./messages/routes";
import { metricsRoutes } from "./metrics/routes";
import { modelRoutes } from "./models/routes";
import { nodeRoutes } from "./nodes/routes";
import { promptRoutes } from "./prompts/routes";
import { ragRoutes } from "./rag/routes";
import { requestRoutes } from "./requests/routes";
import { rerankRoutes } from "./rerank/routes";
import { responseRoutes } from "./responses/routes";
import type { Services } from "./services";
import { webhookRoutes } from "./webhooks/routes";

/** Builds the gateway's HTTP app from services. It does no I/O of its own, so tests can build it too. */
export const createApp = (services: Services) => {
  const { config, log, keys, sessions, ledger, metrics, models } = services;
  // Reject unknown fields instead of dropping them: a schema describes the whole body.
  const app = new Elysia({ name: "groundwire", normalize: false });
  return app
    .use(
      http({
        verifyKey: (authorization) => keys.verify(authorization),
        verifyWorker: (token, keyId) => keys.verifyWorker(token, keyId),
        verifySession(request) {
          const cookie = sessionCookie(request, config.gateway.publicUrl);
          return cookie === undefined ? undefined : sessions.verify(cookie);
        },
        reserve: (principal, isCounted, route) =>
          isCounted ? ledger.reserve(principal, route) : ledger.look(principal),
        recorder: metrics,
        requestLog: {
          add: (request) => services.requests.log.add(request),
          replace: (request) => services.requests.log.replace(request),
        },
        activeRequests: services.activeRequests,
        log,
        reduced: () => services.health.degradations.reduced(),
        tracer: services.tracer,
        bodyLimits: {
          maxBytes: config.gateway.maxBodyBytes,
          maxUploadBytes: config.datasets.maxUploadBytes,
          media: {
            maxBytes: config.gateway.maxMediaBodyBytes,
            memory: new BodyMemory(config.gateway.maxMediaBodyBytes),
            mayRead: (principal) => models.readsMedia(principal),
          },
        },
        publicUrl: config.gateway.publicUrl,
        corsOrigins: config.gateway.corsOrigins,
        routes: () => app.routes,
        page: errorPage,
      }),
    )
    .use(healthRoutes(services))
    .use(degradedRoutes(services))
    .use(chatRoutes(services))
    .use(messageRoutes(services))
    .use(responseRoutes(services))
    .use(modelRoutes(services))
    .use(nodeRoutes(services))
    .use(keyRoutes(services))
    .use(limitRoutes(services))
    .use(cacheRoutes(services))
    .use(metricsRoutes(services))
    .use(conversationRoutes(services))
    .use(embeddingRoutes(services))
    .use(rerankRoutes(services))
    .use(ragRoutes(services))
    .use(mcpRoutes(services))
    .use(datasetRoutes(services))
    .use(evalRoutes(services))
    .use(batchEvalRoutes({ ...services, renderReport }))
    .use(fileRoutes(services))
    .use(batchRoutes(services))
    .use(compareRoutes(services))
    .use(feedbackRoutes(services))
    .use(labelRoutes(services))
    .use(promptRoutes(services))
    .use(requestRoutes(services))
    .use(auditRoutes(services))
    .use(evaluatorRoutes(services))
    .use(webhookRoutes(services))
    .use(openApiRoutes({ app: () => app, publicUrl: config.gateway.publicUrl }))
    .use(pageRoutes(services));
};
