import { Elysia, t } from "elysia";
import type { ConversationService } from "../gateway/conversations/service";
import type { Imports } from "../gateway/datasets/imports";
import type { DatasetService } from "../gateway/datasets/service";
import type { RunningEvals } from "../gateway/evals/running";
import type { EvalService } from "../gateway/evals/service";
import type { EvalTransfer } from "../gateway/evals/transfer";
import type { AgreementService } from "../gateway/evaluators/agreement";
import type { EvaluatorService } from "../gateway/evaluators/service";
import type { FeedbackService } from "../gateway/feedback/service";
import type { Health } from "../gateway/health/service";
import { allows } from "../gateway/http/route-facts";
import type { KeysService } from "../gateway/keys/service";
import type { LabelService } from "../gateway/labels/service";
import type { Models } from "../gateway/models/registry";
import type { Engine } from "../gateway/ports/engine";
import type { PromptService } from "../gateway/prompts/service";
import type { SessionService } from "../gateway/sessions/service";
import type { Uploads } from "../gateway/uploads/service";
import type { Config } from "../lib/config";
import type { Log } from "../lib/log";
import { assetRoutes } from "./assets";
import { chatRoutes } from "./chat/routes";
import { cspReportRoutes } from "./csp-reports";
import { datasetPageRoutes } from "./datasets/routes";
import { labelPageRoutes } from "./evals/label-routes";
import { evalPageRoutes } from "./evals/routes";
import { keyPageRoutes } from "./keys/routes";
import { localPath, refuseForeignWrite, setThemeCookie, THEMES } from "./session";
import { signInRoutes } from "./sign-in/routes";
import { systemRoutes } from "./system/routes";
import { Fields } from "./ui/form";
import { redirect } from "./ui/html";

interface PageServices {
  config: Config;
  log: Log;
  agreement: AgreementService;
  conversations: ConversationService;
  datasets: DatasetService;
  engine: Engine;
  evals: EvalService;
  evalTransfer: EvalTransfer;
  evaluators: EvaluatorService;
  feedback: FeedbackService;
  health: Health;
  imports: Imports;
  keys: KeysService;
  labels: LabelService;
  models: Models;
  prompts: PromptService;
  runningEvals: RunningEvals;
  sessions: SessionService;
  uploads: Uploads;
}

/** All pages with their partials and files. Each route declares its role; `error.tsx` renders errors. */
export const pageRoutes = (services: PageServices) => {
  const { publicUrl } = services.config.gateway;
  return new Elysia({ name: "views" })
    .onTransform(({ request }) => refuseForeignWrite(request, publicUrl))
    .use(assetRoutes)
    .use(cspReportRoutes(services))
    .use(signInRoutes({ sessions: services.sessions, publicUrl }))
    .use(chatRoutes(services))
    .use(datasetPageRoutes(services))
    .use(evalPageRoutes(services))
    .use(labelPageRoutes(services))
    .use(keyPageRoutes(services))
    .use(systemRoutes(services))
    .post(
      "/theme",
      ({ request, body }) => redirect(request, localPath(body.return), { "set-cookie": setThemeCookie(body.theme) }),
      {
        body: Fields({
          theme: t.Union(THEMES.map((theme) => t.Literal(theme))),
          return: t.Optional(t.String({ maxLength: 2000 })),
        }),
        detail: allows("public"),
      },
    );
};
