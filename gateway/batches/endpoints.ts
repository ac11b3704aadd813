import type { TObject } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler } from "@sinclair/typebox/compiler";
import { AppError } from "../../lib/errors";
import { adaptToModel } from "../chat/adapt-to-model";
import { assertTools } from "../chat/capabilities";
import { ChatCompletionRequest, CompletionRequest } from "../chat/contract";
import type { ImageRules } from "../chat/images";
import type { GenerationRequest, Operation } from "../chat/request";
import { EmbeddingRequest } from "../embeddings/contract";
import type { Model } from "../models/contract";
import { modelNotFound, wrongKind } from "../models/registry";
import type { Principal } from "../principal";
import { leaveOutNeutral } from "../validation/neutral-values";
import { invalidRequest } from "../validation/problems";

/** The routes that the requests of a batch may call. */
export const ENDPOINT_NAMES = ["/v1/chat/completions", "/v1/completions", "/v1/embeddings"] as const;
export type EndpointName = (typeof ENDPOINT_NAMES)[number];

interface Endpoint {
  kind: Model["kind"];
  schema: TObject;
  /** Undefined if the route doesn't generate text. */
  operation?: Operation;
}

const ENDPOINTS: Readonly<Record<EndpointName, Endpoint>> = {
  "/v1/chat/completions": { kind: "chat", schema: ChatCompletionRequest, operation: "chat" },
  "/v1/completions": { kind: "chat", schema: CompletionRequest, operation: "completion" },
  "/v1/embeddings": { kind: "embedding", schema: EmbeddingRequest },
};

/** The models that a key may use, as `GET /v1/models` lists them. */
export interface KeyModels {
  list: readonly Model[];
  allowedModels: Principal["allowedModels"];
  /** Models that exist even if no node has reported them. */
  fallbacks: readonly string[];
}

/**
 * The model of a request; undefined if no node has reported it. Throws model_not_found, and invalid_request for a model
 * of the wrong kind.
 */
const modelOf = (
  { list, allowedModels, fallbacks }: KeyModels,
  kind: Model["kind"],
  id: unknown,
): Model | undefined => {
  const name = id ?? list.find((model) => model.kind === kind && model.default)?.id;
  // The schema's own error is better for anything else.
  if (typeof name !== "string") return undefined;
  const model = list.find((one) => one.id === name);
  const isUnknown = !model && list.length > 0 && !fallbacks.includes(name);
  if (isUnknown || allowedModels?.includes(name) === false) throw modelNotFound(name);
  if (model && model.kind !== kind) throw wrongKind(model, kind);
  return model;
};

const checks = new Map<EndpointName, TypeCheck<TObject>>();

const checkOf = (name: EndpointName): TypeCheck<TObject> => {
  const known = checks.get(name);
  if (known) return known;
  const check = TypeCompiler.Compile(ENDPOINTS[name].schema);
  checks.set(name, check);
  return check;
};

/**
 * Checks a request as its route would. Removes fields with neutral values from `body`. Throws invalid_request and
 * model_not_found.
 */
export const checkRequest = (
  name: EndpointName,
  body: Record<string, unknown>,
  { models, images }: { models: KeyModels; images: ImageRules },
): void => {
  const { kind, schema, operation } = ENDPOINTS[name];
  leaveOutNeutral(schema, body);
  if (body.stream === true) {
    throw new AppError("invalid_request", "stream is not supported in a batch: results are complete answers.", {
      param: "stream",
    });
  }
  const model = modelOf(models, kind, body.model);
  if (operation) adaptToModel(operation, body, { model, isAwaited: !model, images });
  const check = checkOf(name);
  if (!check.Check(body)) throw invalidRequest(check.Errors(body));
  if (operation) assertTools(body as GenerationRequest);
};
