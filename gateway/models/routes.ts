import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { wholePage } from "../contract";
import { auth } from "../http/auth";
import { allows } from "../http/route-facts";
import { Model, ModelList } from "./contract";
import type { Models } from "./registry";

/** The models that the calling key may use, in OpenAI's format. */
export const modelRoutes = ({ models }: { models: Models }) =>
  new Elysia({ name: "models.routes", prefix: "/v1/models", tags: ["Models"] })
    .use(auth)
    .get("", ({ principal }) => ({ object: "list" as const, ...wholePage(models.list(principal)) }), {
      response: { 200: ModelList },
      detail: { ...allows("member"), summary: "List the models that this key may use" },
    })
    .get("/:id", ({ principal, params }) => models.get(principal, params.id), {
      params: Type.Object({ id: Type.String() }),
      response: { 200: Model },
      detail: { ...allows("member"), summary: "Read one model" },
    });
