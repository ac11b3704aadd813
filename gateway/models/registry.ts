import type { ModelCapabilities } from "../../gpu-node/protocol";
import { AppError } from "../../lib/errors";
import type { Engine } from "../ports/engine";
import type { Principal } from "../principal";
import { capabilitiesOf, commonCapabilities } from "./capabilities";
import type { Model } from "./contract";

/** The nodes' reports are read again after this time. */
const MAX_AGE_MS = 250;

type ModelKind = Model["kind"];

/** `isKnown` is false until a node has reported its revision. */
export interface ResolvedModel {
  id: string;
  revision: string;
  isKnown: boolean;
  /** Tokens that prompt and answer can have together; null if it is still unknown. */
  contextWindow: number | null;
  /** The length of its vectors; null for a chat model, or if it is still unknown. */
  dimensions: number | null;
  /** The prefixes that it expects before a question and before a text to find. */
  prefixes: Model["prefixes"];
  /** null until a node has reported the model. */
  capabilities: ModelCapabilities | null;
}

/**
 * `defaults` are the models for requests that name none, if a node has them. `fallbacks` are chat models in order of
 * preference: those after a model may answer instead of it.
 */
interface ModelsDeps {
  engine: Pick<Engine, "nodes">;
  defaults: Pick<Record<ModelKind, string>, "chat" | "embedding">;
  fallbacks?: readonly string[];
}

const KINDS: readonly ModelKind[] = ["chat", "embedding", "rerank"];

/** The models that the nodes report. The models of an unreachable node stay listed, but are not ready. */
export const createModels = ({ engine, defaults, fallbacks = [] }: ModelsDeps) => {
  const firstSeen = new Map<string, number>();
  let models = new Map<string, Model>();
  /** The first reranker that a node reports is the default, because none is installed by default. */
  const configured: Record<ModelKind, string | undefined> = { ...defaults, rerank: undefined };
  const defaultIds = { ...configured };
  let readAt = Number.NEGATIVE_INFINITY;

  const refresh = (): void => {
    const now = performance.now();
    if (now - readAt < MAX_AGE_MS && models.size > 0) return;
    readAt = now;
    models = new Map();
    for (const node of engine.nodes()) {
      const isReady = node.state === "ready" || node.state === "busy";
      for (const model of node.readiness?.models ?? []) {
        const { id, kind, revision, context_window, dimensions = null, prefixes = null, sampling = null } = model;
        const created = firstSeen.get(id) ?? Math.floor(Date.now() / 1000);
        firstSeen.set(id, created);
        const other = models.get(id);
        const ready = isReady || (other?.ready ?? false);
        const reported = capabilitiesOf(model);
        models.set(id, {
          id,
          object: "model",
          created,
          owned_by: "groundwire",
          type: "model",
          display_name: id,
          created_at: new Date(created * 1000).toISOString(),
          kind,
          revision,
          context_window,
          dimensions,
          prefixes,
          sampling,
          capabilities: other ? commonCapabilities(reported, other.capabilities) : reported,
          default: false,
          ready,
        });
      }
    }
    for (const kind of KINDS) {
      const own = [...models.values()].filter((model) => model.kind === kind);
      const first = own.find(({ id }) => id === configured[kind]) ?? own[0];
      if (first) first.default = true;
      defaultIds[kind] = first?.id ?? configured[kind];
    }
  };

  /** Whether a node may still report an unknown model: none has reported yet, or the model has fallbacks. */
  const mayAppear = (id: string): boolean => models.size === 0 || fallbacks.includes(id);
  const mayUse = (principal: Principal, id: string): boolean => principal.allowedModels?.includes(id) ?? true;
  return {
    /** The models that may answer the caller's chats instead of `id`, best first; undefined if there are none. */
    fallbacksOf(principal: Principal, id: string): readonly string[] | undefined {
      const place = fallbacks.indexOf(id);
      if (place === -1) return undefined;
      const later = fallbacks.slice(place + 1).filter((name) => mayUse(principal, name));
      return later.length > 0 ? later : undefined;
    },

    /** What a model can do; null if no node has reported it. */
    capabilitiesOf(id: string): ModelCapabilities | null {
      refresh();
      return models.get(id)?.capabilities ?? null;
    },

    /** Whether a model that the caller may use reads images or audio. */
    readsMedia(principal: Principal): boolean {
      return this.list(principal).some(({ capabilities: { vision, audio_input } }) => vision || audio_input);
    },

    /** The models that the caller may use, in the order of the nodes. */
    list(principal: Principal): Model[] {
      refresh();
      return [...models.values()].filter(({ id }) => mayUse(principal, id));
    },

    /** Throws model_not_found, even for a model that exists but that the caller may not use. */
    get(principal: Principal, id: string): Model {
      refresh();
      const model = models.get(id);
      if (!model || !mayUse(principal, id)) throw modelNotFound(id);
      return model;
    },

    /** The chat model with this id, or the default without an id; undefined if it is unknown to the caller. */
    find(principal: Principal, id: unknown): Model | undefined {
      refresh();
      const name = id ?? defaultIds.chat;
      const model = typeof name === "string" && mayUse(principal, name) ? models.get(name) : undefined;
      return model?.kind === "chat" ? model : undefined;
    },

    /** Whether a node may still report the chat model that `find` doesn't know. */
    isAwaited(principal: Principal, id: unknown): boolean {
      const name = id ?? defaultIds.chat;
      return typeof name === "string" && mayUse(principal, name) && !models.has(name) && mayAppear(name);
    },

    /**
     * The model of this kind for a request with `id`, or the default without an id. Before any node has reported, every
     * name is accepted, and the engine checks it. Throws model_not_found, invalid_request for a model of another kind,
     * and unavailable if a node may still report the default model.
     */
    resolve(principal: Principal, kind: ModelKind, id: string | undefined): ResolvedModel {
      refresh();
      const name = id ?? defaultIds[kind];
      if (name === undefined) throw models.size === 0 ? notReported() : noReranker();
      if (!mayUse(principal, name)) throw modelNotFound(name);
      const model = models.get(name);
      if (!model && !mayAppear(name)) {
        throw kind === "rerank" && defaultIds.rerank === undefined ? noReranker() : modelNotFound(name);
      }
      if (model && model.kind !== kind) throw wrongKind(model, kind);
      return {
        id: name,
        revision: model?.revision ?? "unknown",
        isKnown: model !== undefined,
        contextWindow: model?.context_window ?? null,
        dimensions: model?.dimensions ?? null,
        prefixes: model?.prefixes ?? null,
        capabilities: model?.capabilities ?? null,
      };
    },
  };
};

export type Models = ReturnType<typeof createModels>;

export const modelNotFound = (id: string): AppError =>
  new AppError("model_not_found", `Model "${id}" not found for this key. GET /v1/models lists the models.`, {
    param: "model",
  });

/** The error while no node has reported its models. */
export const notReported = (): AppError =>
  new AppError("unavailable", "No GPU node has reported its models yet. Try again in a moment.", {
    retryAfterMs: 1000,
  });

const noReranker = (): AppError =>
  new AppError(
    "model_not_found",
    "No node has a rerank model. Set GROUNDWIRE_RERANK_MODEL or GROUNDWIRE_NODE_RERANKER_URL on a node.",
    { param: "model" },
  );

const NAMES: Record<ModelKind, string> = {
  chat: "a chat model: use it with /v1/chat/completions",
  embedding: "an embedding model: use it with /v1/embeddings",
  rerank: "a rerank model: use it with /v1/rerank",
};
const WANTED: Record<ModelKind, string> = {
  chat: "a chat model",
  embedding: "an embedding model",
  rerank: "a rerank model",
};

export const wrongKind = ({ id, kind }: Model, wanted: ModelKind): AppError =>
  new AppError(
    "invalid_request",
    `"${id}" is ${NAMES[kind]}, or name ${WANTED[wanted]}. GET /v1/models lists all models.`,
    { param: "model" },
  );
