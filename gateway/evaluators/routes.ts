import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { PageQuery } from "../contract";
import { auth } from "../http/auth";
import { notImplemented } from "../http/not-implemented";
import { creates, fails } from "../http/route-docs";
import {
  ChooseVersion,
  CreateEvaluatorVersion,
  Evaluator,
  EvaluatorPage,
  EvaluatorVersion,
  EvaluatorVersionPage,
  ShadowReport,
} from "./contract";

const NamePath = Type.Object({ name: Type.String({ minLength: 1, maxLength: 64 }) });

export const evaluatorRoutes = new Elysia({ name: "evaluators.routes", prefix: "/v1", tags: ["Evaluators"] })
  .use(auth)
  .get("/evaluators", notImplemented("GET /v1/evaluators"), {
    query: PageQuery,
    response: { 200: EvaluatorPage },
    detail: { summary: "List the evaluators with their active and shadow versions" },
  })
  .post("/evaluators", notImplemented("POST /v1/evaluators"), {
    parse: "json",
    body: CreateEvaluatorVersion,
    response: { 201: EvaluatorVersion },
    detail: { summary: "Create a judge, or its next version", ...creates },
  })
  .get("/evaluators/:name", notImplemented("GET /v1/evaluators/:name"), {
    params: NamePath,
    response: { 200: Evaluator },
    detail: { summary: "Read an evaluator" },
  })
  .get("/evaluators/:name/versions", notImplemented("GET /v1/evaluators/:name/versions"), {
    params: NamePath,
    query: PageQuery,
    response: { 200: EvaluatorVersionPage },
    detail: { summary: "List the versions, newest first" },
  })
  .post("/evaluators/:name/shadow", notImplemented("POST /v1/evaluators/:name/shadow"), {
    parse: "json",
    params: NamePath,
    body: ChooseVersion,
    response: { 200: Evaluator },
    detail: { summary: "Let a version score alongside, without a say", ...fails(409) },
  })
  .get("/evaluators/:name/shadow-report", notImplemented("GET /v1/evaluators/:name/shadow-report"), {
    params: NamePath,
    response: { 200: ShadowReport },
    detail: { summary: "How the shadow agrees with the active version and with people" },
  })
  .post("/evaluators/:name/promote", notImplemented("POST /v1/evaluators/:name/promote"), {
    parse: "json",
    params: NamePath,
    body: ChooseVersion,
    response: { 200: Evaluator },
    detail: { summary: "Make a version the active one; older scores keep theirs", ...fails(409) },
  });
