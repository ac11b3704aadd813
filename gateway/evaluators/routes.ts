import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { PageQuery } from "../contract";
import { auth } from "../http/auth";
import { allows, creates, fails } from "../http/route-facts";
import type { Idempotency } from "../idempotency/service";
import type { AgreementService } from "./agreement";
import {
  ChooseVersion,
  CreateEvaluatorVersion,
  Evaluator,
  EvaluatorAgreementList,
  EvaluatorPage,
  EvaluatorVersion,
  EvaluatorVersionPage,
  ShadowReport,
} from "./contract";
import type { EvaluatorService } from "./service";

const NamePath = Type.Object({ name: Type.String({ minLength: 1, maxLength: 64 }) });

interface Services {
  agreement: AgreementService;
  evaluators: EvaluatorService;
  idempotency: Idempotency;
}

/** Evaluators, their versions, and which version gives the verdict. */
export const evaluatorRoutes = ({ agreement, evaluators, idempotency }: Services) =>
  new Elysia({ name: "evaluators.routes", prefix: "/v1", tags: ["Evaluators"] })
    .use(auth)
    .get("/evaluators", ({ query }) => evaluators.list(query), {
      query: PageQuery,
      response: { 200: EvaluatorPage },
      detail: { ...allows("viewer"), summary: "List the evaluators with their active and shadow versions" },
    })
    .post(
      "/evaluators",
      async ({ principal, exchange, body, status }) => {
        const made = await idempotency.once(exchange, principal, body, (seal) =>
          evaluators.create(principal, body, seal),
        );
        return status(201, made);
      },
      {
        body: CreateEvaluatorVersion,
        response: { 201: EvaluatorVersion },
        detail: { ...allows("editor"), summary: "Create a judge, or its next version", ...creates, ...fails(404, 501) },
      },
    )
    .get("/evaluators/:name", ({ params }) => evaluators.get(params.name), {
      params: NamePath,
      response: { 200: Evaluator },
      detail: { ...allows("viewer"), summary: "Read an evaluator" },
    })
    .get("/evaluators/:name/versions", ({ params, query }) => evaluators.versions(params.name, query), {
      params: NamePath,
      query: PageQuery,
      response: { 200: EvaluatorVersionPage },
      detail: { ...allows("viewer"), summary: "List the versions, newest first" },
    })
    .post(
      "/evaluators/:name/shadow",
      ({ principal, params, body }) => evaluators.shadow(principal, params.name, body.version),
      {
        params: NamePath,
        body: ChooseVersion,
        response: { 200: Evaluator },
        detail: {
          ...allows("editor"),
          summary: "Score with a version as a shadow, excluded from the verdict",
          ...fails(409),
        },
      },
    )
    .get(
      "/evaluators/:name/agreement",
      async ({ params }) => ({ data: await agreement.withPeople({ name: params.name }) }),
      {
        params: NamePath,
        response: { 200: EvaluatorAgreementList },
        detail: {
          ...allows("viewer"),
          summary: "Compare the versions of an evaluator with human labels",
          description:
            "Covers the active and shadow versions, and every other version that has scored a labelled result. With at least 30 labels: kappa, sensitivity, specificity, and a pass rate corrected by them.",
        },
      },
    )
    .get("/evaluators/:name/shadow-report", ({ params }) => agreement.shadowReport(params.name), {
      params: NamePath,
      response: { 200: ShadowReport },
      detail: {
        ...allows("viewer"),
        summary: "Compare the shadow with the active version and with human labels",
        ...fails(409),
      },
    })
    .post(
      "/evaluators/:name/promote",
      ({ principal, params, body }) => evaluators.promote(principal, params.name, body.version),
      {
        params: NamePath,
        body: ChooseVersion,
        response: { 200: Evaluator },
        detail: {
          ...allows("editor"),
          summary: "Make a version the active one; existing scores do not change",
          ...fails(409),
        },
      },
    );
