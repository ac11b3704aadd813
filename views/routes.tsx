import { Elysia, t } from "elysia";
import { allows } from "../gateway/http/route-facts";
import type { Services } from "../gateway/services";
import { assetRoutes } from "./assets";
import { chatRoutes } from "./chat/routes";
import { cspReportRoutes } from "./csp-reports";
import { datasetPageRoutes } from "./datasets/routes";
import { labelPageRoutes } from "./evals/label-routes";
import { evalPageRoutes } from "./evals/routes";
import { keyPageRoutes } from "./keys/routes";
import { ThemeForm } from "./layout";
import { localPath, refuseForeignWrite, setThemeCookie, THEMES } from "./session";
import { signInRoutes } from "./sign-in/routes";
import { systemRoutes } from "./system/routes";
import { Fields } from "./ui/form";
import { html, isHtmx, redirect } from "./ui/html";

type PageServices = Pick<
  Services,
  | "config"
  | "log"
  | "agreement"
  | "conversations"
  | "datasets"
  | "engine"
  | "evals"
  | "evalTransfer"
  | "evaluators"
  | "feedback"
  | "health"
  | "idempotency"
  | "imports"
  | "keys"
  | "labels"
  | "models"
  | "prompts"
  | "runningEvals"
  | "sessions"
  | "uploads"
>;

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
      ({ request, body }) => {
        const returnTo = localPath(body.return);
        const headers = { "set-cookie": setThemeCookie(body.theme) };
        if (!isHtmx(request)) return redirect(request, returnTo, headers);
        return html(<ThemeForm theme={body.theme} returnTo={returnTo} />, 200, headers);
      },
      {
        body: Fields({
          theme: t.Union(THEMES.map((theme) => t.Literal(theme))),
          return: t.Optional(t.String({ maxLength: 2000 })),
        }),
        detail: allows("public"),
      },
    );
};
