import { Elysia } from "elysia";
import { allows } from "../../gateway/http/route-facts";
import type { Services } from "../../gateway/services";
import { frameOf } from "../layout";
import { Fields, text } from "../ui/fields";
import { html, page } from "../ui/html";
import { modelCalls } from "./cards";
import { DashboardPage, Figures } from "./page";
import { WINDOWS, windowOf } from "./windows";

const DashboardQuery = Fields({ window: text(10) });

/** `/dashboard`: traffic, latency, quality and costs over a window. The figures are refreshed every 30 seconds. */
export const dashboardRoutes = ({ metrics, health, config }: Pick<Services, "metrics" | "health" | "config">) => {
  const read = async (request: Request, windowName: string | undefined) => {
    const window = windowOf(windowName);
    const kpis = await metrics.kpis({ window: window.value, step: window.step });
    return {
      ...frameOf(request),
      kpis,
      window,
      readiness: await health.readiness(),
      isUsed: modelCalls(kpis) > 0 || (await wasUsed()),
      origin: config.gateway.publicUrl ?? new URL(request.url).origin,
    };
  };
  const longest = WINDOWS[WINDOWS.length - 1] ?? WINDOWS[0];
  const wasUsed = async (): Promise<boolean> => {
    const kpis = await metrics.kpis({ window: longest.value, step: longest.step });
    return modelCalls(kpis) > 0 || kpis.evaluations.length > 0;
  };
  return new Elysia({ name: "views.dashboard", prefix: "/dashboard" })
    .guard({ detail: allows("viewer") })
    .get("", async ({ request, query }) => page(<DashboardPage {...(await read(request, query.window))} />), {
      query: DashboardQuery,
    })
    .get("/figures", async ({ request, query }) => html(<Figures {...(await read(request, query.window))} />), {
      query: DashboardQuery,
    });
};
