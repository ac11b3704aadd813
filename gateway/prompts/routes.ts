import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { NumberInUrl, PageQuery } from "../contract";
import { auth } from "../http/auth";
import { allows, creates } from "../http/route-facts";
import type { Idempotency } from "../idempotency/service";
import { CreatePromptVersion, MoveLabel, Prompt, PromptPage, PromptVersion, PromptVersionPage } from "./contract";
import type { PromptService } from "./service";

const name = Type.String({ minLength: 1, maxLength: 100 });
const NamePath = Type.Object({ name });
const VersionPath = Type.Object({ name, version: NumberInUrl({ minimum: 1 }) });
const LabelPath = Type.Object({ name, label: Type.String({ pattern: "^[a-z][a-z0-9_-]{0,63}$" }) });

/** Prompt templates with immutable versions. */
export const promptRoutes = ({ prompts, idempotency }: { prompts: PromptService; idempotency: Idempotency }) =>
  new Elysia({ name: "prompts.routes", prefix: "/v1", tags: ["Prompts"] })
    .use(auth)
    .get("/prompts", ({ query }) => prompts.list(query), {
      query: PageQuery,
      response: { 200: PromptPage },
      detail: { ...allows("viewer"), summary: "List the prompt templates" },
    })
    .post(
      "/prompts",
      async ({ principal, exchange, body, status }) => {
        const { version, isNew } = await idempotency.once(exchange, principal, body, (seal) =>
          prompts.create(principal, body, seal),
        );
        return status(isNew ? 201 : 200, version);
      },
      {
        body: CreatePromptVersion,
        response: { 200: PromptVersion, 201: PromptVersion },
        detail: {
          ...allows("editor"),
          summary: "Create a prompt, or its next version",
          description: "Returns 200 if the newest version already has this content.",
          ...creates,
        },
      },
    )
    .get("/prompts/:name", ({ params }) => prompts.get(params.name), {
      params: NamePath,
      response: { 200: Prompt },
      detail: { ...allows("viewer"), summary: "Read a prompt with its newest version and its labels" },
    })
    .get("/prompts/:name/versions", ({ params, query }) => prompts.versions(params.name, query), {
      params: NamePath,
      query: PageQuery,
      response: { 200: PromptVersionPage },
      detail: { ...allows("viewer"), summary: "List the versions, newest first" },
    })
    .get("/prompts/:name/versions/:version", ({ params }) => prompts.version(params.name, params.version), {
      params: VersionPath,
      response: { 200: PromptVersion },
      detail: { ...allows("viewer"), summary: "Read one version" },
    })
    .put(
      "/prompts/:name/labels/:label",
      ({ principal, params, body }) => prompts.moveLabel(principal, params.name, params.label, body),
      {
        params: LabelPath,
        body: MoveLabel,
        response: { 200: Prompt },
        detail: {
          ...allows("editor"),
          summary: "Move a label to a version, or remove it",
          description: "`latest` always names the newest version.",
        },
      },
    );
