import { Elysia } from "elysia";
import { PageQuery, PathId } from "../contract";
import { Label } from "../evals/contract";
import { auth, principalOf } from "../http/auth";
import { allows, creates } from "../http/route-facts";
import type { Idempotency } from "../idempotency/service";
import { AddLabel, LabelPage } from "./contract";
import type { LabelService } from "./service";

/** Human labels of results. `id` is a result id. */
export const labelRoutes = ({ labels, idempotency }: { labels: LabelService; idempotency: Idempotency }) =>
  new Elysia({ name: "labels.routes", prefix: "/v1/samples", tags: ["Feedback"] })
    .use(auth)
    .get("/:id/labels", ({ request, params, query }) => labels.list(principalOf(request), params.id, query), {
      params: PathId,
      query: PageQuery,
      response: { 200: LabelPage },
      detail: {
        ...allows("viewer"),
        summary: "List the human labels of a result, including replaced ones",
        description: "Oldest first. A label with `replaced_at` was replaced by a later one from the same author.",
      },
    })
    .post(
      "/:id/labels",
      async ({ principal, exchange, params, body, status }) => {
        const label = await idempotency.once(exchange, principal, body, (seal) =>
          labels.add(principal, params.id, body, seal),
        );
        return status(201, label);
      },
      {
        params: PathId,
        body: AddLabel,
        response: { 201: Label },
        detail: {
          ...allows("editor"),
          summary: "Label a result",
          description: "Replaces your earlier label for the same criterion. The earlier one stays in the history.",
          ...creates,
        },
      },
    );
