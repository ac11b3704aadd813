import { Elysia, t } from "elysia";
import { allows } from "../gateway/http/route-facts";
import type { Services } from "../gateway/services";
import { assetRoutes } from "./assets";
import { auditPageRoutes } from "./audit/routes";
import { exportPageRoutes } from "./batch-evals/exports";
import { newRunRoutes } from "./batch-evals/new-routes";
import { runPageRoutes } from "./batch-evals/routes";
import { type ChatServices, chatRoutes } from "./chat/routes";
import { comparePageRoutes } from "./compare/routes";
import { type ConnectServices, connectRoutes } from "./connect/routes";
import { cspReportRoutes } from "./csp-reports";
import { dashboardRoutes } from "./dashboard/routes";
import { datasetPageRoutes } from "./datasets/routes";
import { labelPageRoutes } from "./evals/label-routes";
import { evalPageRoutes } from "./evals/routes";
import { keyPageRoutes } from "./keys/routes";
import { ThemeForm } from "./layout";
import { type RagPageServices, ragPageRoutes } from "./rag/routes";
import { requestPageRoutes } from "./requests/routes";
import { localPath, refuseForeignWrite, setThemeCookie, THEMES } from "./session";
import { signInRoutes } from "./sign-in/routes";
import { systemRoutes } from "./system/routes";
import { Fields, text } from "./ui/fields";
import { html, isHtmx, redirect } from "./ui/html";
import { webhookPageRoutes } from "./webhooks/routes";

type PageServices = RagPageServices &
  ChatServices &
  ConnectServices &
  Omit<
    Services,
    | "activeRequests"
    | "answers"
    | "budgets"
    | "cache"
    | "chat"
    | "documents"
    | "embeddings"
    | "events"
    | "images"
    | "indexes"
    | "indexVersions"
    | "mcp"
    | "namespaces"
    | "rag"
    | "reranking"
    | "responses"
    | "retrievalQuality"
    | "sampleIndex"
    | "tokens"
    | "transfer"
    | "vectorStore"
  >;

/** All pages with their partials and assets. Each route declares its role; `error.tsx` renders errors. */
export const pageRoutes = (services: PageServices) => {
  const { publicUrl } = services.config.gateway;
  return new Elysia({ name: "views" })
    .onTransform(({ request }) => refuseForeignWrite(request, publicUrl))
    .use(assetRoutes)
    .use(cspReportRoutes(services))
    .use(signInRoutes(services))
    .use(dashboardRoutes(services))
    .use(chatRoutes(services))
    .use(datasetPageRoutes(services))
    .use(evalPageRoutes(services))
    .use(labelPageRoutes(services))
    .use(newRunRoutes(services))
    .use(runPageRoutes(services))
    .use(exportPageRoutes(services))
    .use(comparePageRoutes(services))
    .use(ragPageRoutes(services))
    .use(connectRoutes(services))
    .use(keyPageRoutes(services))
    .use(auditPageRoutes(services))
    .use(requestPageRoutes(services))
    .use(webhookPageRoutes(services))
    .use(systemRoutes(services))
    .post(
      "/theme",
      ({ request, body }) => {
        const returnTo = localPath(body.return);
        const headers = { "set-cookie": setThemeCookie(body.theme) };
        if (!isHtmx(request)) return redirect(request, returnTo, headers);
        return html(<ThemeForm theme={body.theme} returnTo={returnTo} />, 200, headers);
      },
      {
        body: Fields({
          theme: t.Union(THEMES.map((theme) => t.Literal(theme))),
          return: text(2000),
        }),
        detail: allows("public"),
      },
    );
};
