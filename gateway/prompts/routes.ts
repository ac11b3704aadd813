import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { NumberInUrl, PageQuery } from "../contract";
import { auth } from "../http/auth";
import { notImplemented } from "../http/not-implemented";
import { creates } from "../http/route-docs";
import { CreatePromptVersion, MoveLabel, Prompt, PromptPage, PromptVersion, PromptVersionPage } from "./contract";

const name = Type.String({ minLength: 1, maxLength: 100 });
const NamePath = Type.Object({ name });
const VersionPath = Type.Object({ name, version: NumberInUrl({ minimum: 1 }) });
const LabelPath = Type.Object({ name, label: Type.String({ pattern: "^[a-z][a-z0-9_-]{0,63}$" }) });

export const promptRoutes = new Elysia({ name: "prompts.routes", prefix: "/v1", tags: ["Prompts"] })
  .use(auth)
  .get("/prompts", notImplemented("GET /v1/prompts"), {
    query: PageQuery,
    response: { 200: PromptPage },
    detail: { summary: "List the prompt templates" },
  })
  .post("/prompts", notImplemented("POST /v1/prompts"), {
    parse: "json",
    body: CreatePromptVersion,
    response: { 200: PromptVersion, 201: PromptVersion },
    detail: {
      summary: "Create a prompt, or its next version",
      description: "200: the newest version has this very content.",
      ...creates,
    },
  })
  .get("/prompts/:name", notImplemented("GET /v1/prompts/:name"), {
    params: NamePath,
    response: { 200: Prompt },
    detail: { summary: "Read a prompt with its newest version and its labels" },
  })
  .get("/prompts/:name/versions", notImplemented("GET /v1/prompts/:name/versions"), {
    params: NamePath,
    query: PageQuery,
    response: { 200: PromptVersionPage },
    detail: { summary: "List the versions, newest first" },
  })
  .get("/prompts/:name/versions/:version", notImplemented("GET /v1/prompts/:name/versions/:version"), {
    params: VersionPath,
    response: { 200: PromptVersion },
    detail: { summary: "Read one version" },
  })
  .put("/prompts/:name/labels/:label", notImplemented("PUT /v1/prompts/:name/labels/:label"), {
    parse: "json",
    params: LabelPath,
    body: MoveLabel,
    response: { 200: Prompt },
    detail: { summary: "Move a label to a version, or take it away" },
  });
