import { Elysia } from "elysia";
import { version } from "../../package.json";
import { wholePage } from "../contract";
import { auth } from "../http/auth";
import { allows, probe } from "../http/route-facts";
import { DegradedMode, DegradedModePage, DegradedParams, Liveness, Readiness, StartDrill } from "./contract";
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

/** The degraded modes, and drills of them. A drill applies to the gateway that receives the request. */
export const degradedRoutes = ({ health }: { health: Health }) =>
  new Elysia({ name: "degraded.routes", prefix: "/v1/degraded", tags: ["Health"] })
    .use(auth)
    .get("", () => wholePage(health.degradations.modes()), {
      response: { 200: DegradedModePage },
      detail: { ...allows("viewer"), summary: "List all degraded modes, and which are active" },
    })
    .post(
      "/:code/drill",
      ({ principal, params, body }) => health.degradations.startDrill(principal, params.code, body),
      {
        params: DegradedParams,
        body: StartDrill,
        response: { 200: DegradedMode },
        detail: {
          ...allows("admin"),
          summary: "Start a drill: this gateway behaves as if the mode had a real cause, until the drill ends",
        },
      },
    )
    .post("/:code/end", ({ principal, params }) => health.degradations.endDrill(principal, params.code), {
      params: DegradedParams,
      response: { 200: DegradedMode },
      detail: { ...allows("admin"), summary: "End a drill; the mode stays active if it has a real cause" },
    });
