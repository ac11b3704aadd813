import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { wholePage } from "../contract";
import { auth } from "../http/auth";
import { allows, servesWorkers } from "../http/route-facts";
import { Model, ModelList } from "./contract";
import type { Models } from "./registry";

const toList = (models: Model[]): ModelList => ({
  object: "list",
  ...wholePage(models),
  first_id: models[0]?.id ?? null,
  last_id: models.at(-1)?.id ?? null,
});

/** The models that the calling key may use, in a format that OpenAI's and Anthropic's clients can read. */
export const modelRoutes = ({ models }: { models: Models }) =>
  new Elysia({ name: "models.routes", prefix: "/v1/models", tags: ["Models"] })
    .use(auth)
    .get("", ({ principal }) => toList(models.list(principal)), {
      response: { 200: ModelList },
      detail: { ...allows("member"), ...servesWorkers, summary: "List the models that this key may use" },
    })
    .get("/:id", ({ principal, params }) => models.get(principal, params.id), {
      params: Type.Object({ id: Type.String() }),
      response: { 200: Model },
      detail: { ...allows("member"), summary: "Read one model" },
    });
