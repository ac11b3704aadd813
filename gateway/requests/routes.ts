import { Elysia } from "elysia";
import { auth } from "../http/auth";
import { allows } from "../http/route-facts";
import { LoggedRequestPage, LoggedRequestWithBodies, RequestPathId, RequestQuery } from "./contract";
import type { Requests } from "./service";

export const requestRoutes = ({ requests }: { requests: Requests }) =>
  new Elysia({ name: "requests.routes", prefix: "/v1/requests", tags: ["Requests"] })
    .use(auth)
    .get("", ({ principal, query }) => requests.list(principal, query), {
      query: RequestQuery,
      response: { 200: LoggedRequestPage },
      detail: {
        ...allows("viewer"),
        summary: "List logged requests, newest first",
        description:
          "API calls, and page requests that failed, changed something or called a model. Filters: id, key, route, model, status, fault domain, error code, duration and time. A key restricted to certain models or indexes sees only its own requests.",
      },
    })
    .get("/:id", ({ principal, params }) => requests.get(principal, params.id), {
      params: RequestPathId,
      response: { 200: LoggedRequestWithBodies },
      detail: {
        ...allows("viewer"),
        summary: "Read one logged request",
        description:
          "Includes the bodies if the key logs them and the caller is that key or an admin. If a caller used the same id several times, the newest request is returned.",
      },
    });
