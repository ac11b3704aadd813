import { Elysia } from "elysia";
import { version } from "../../package.json";
import { allows, probe } from "../http/route-facts";
import { Liveness, Readiness } from "./contract";
import type { Health } from "./service";

const alive = () => ({ status: "ok" as const, version });
const ALIVE = {
  response: { 200: Liveness },
  detail: { ...allows("open"), ...probe, summary: "Whether the process is running", security: [] },
};

/** For load balancers and people, without a key. Responses contain no address, path or secret. */
export const healthRoutes = ({ health }: { health: Health }) =>
  new Elysia({ name: "health.routes", tags: ["Health"] })
    .get("/healthz", alive, ALIVE)
    .get("/livez", alive, ALIVE)
    .get(
      "/readyz",
      async ({ set }) => {
        const readiness = await health.readiness();
        set.status = readiness.status === "ok" || readiness.status === "degraded" ? 200 : 503;
        if (set.status === 503) set.headers["retry-after"] = "1";
        return readiness;
      },
      {
        response: { 200: Readiness, 503: Readiness },
        detail: {
          ...allows("open"),
          ...probe,
          summary: "Whether requests can be served, and the status of each dependency",
          security: [],
        },
      },
    );
