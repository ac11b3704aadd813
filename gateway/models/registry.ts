import { AppError } from "../../lib/errors";
import type { Engine } from "../ports/engine";
import type { Principal } from "../principal";
import type { Model } from "./contract";

/** The nodes' reports are read again when they are older than this. */
const FRESH_MS = 250;

export interface Models {
  /** What the caller may use, in the nodes' order. */
  list(principal: Principal): Model[];
  /** Throws model_not_found, also for a model that exists and is not the caller's. */
  get(principal: Principal, id: string): Model;
  /**
   * The model that answers a request for `id`, or for none. While no node has reported yet the name is taken as given,
   * and the engine says what is wrong. Throws model_not_found.
   */
  resolve(principal: Principal, id: string | undefined): { id: string; revision: string };
}

/** The models that the nodes offer, as their readiness tells. A node that is gone keeps its models, not ready. */
export const createModels = ({ engine, defaultModel }: { engine: Engine; defaultModel: string }): Models => {
  const firstSeen = new Map<string, number>();
  let models = new Map<string, Model>();
  let defaultId = defaultModel;
  let readAt = Number.NEGATIVE_INFINITY;

  const refresh = (): void => {
    const now = performance.now();
    if (now - readAt < FRESH_MS && models.size > 0) return;
    readAt = now;
    models = new Map();
    for (const node of engine.nodes()) {
      const isReady = node.state === "ready" || node.state === "busy";
      for (const { id, kind, revision, context_window } of node.readiness?.models ?? []) {
        const created = firstSeen.get(id) ?? Math.floor(Date.now() / 1000);
        firstSeen.set(id, created);
        const ready = isReady || (models.get(id)?.ready ?? false);
        models.set(id, {
          id,
          object: "model",
          created,
          owned_by: "groundwire",
          kind,
          revision,
          context_window,
          default: false,
          ready,
        });
      }
    }
    const chats = [...models.values()].filter(({ kind }) => kind === "chat");
    const first = chats.find(({ id }) => id === defaultModel) ?? chats[0];
    if (first) first.default = true;
    defaultId = first?.id ?? defaultModel;
  };

  const mayUse = (principal: Principal, id: string): boolean => principal.allowedModels?.includes(id) ?? true;
  const notFound = (id: string): AppError =>
    new AppError("model_not_found", `There is no model "${id}" for this key. GET /v1/models lists what there is.`, {
      param: "model",
    });

  return {
    list(principal) {
      refresh();
      return [...models.values()].filter(({ id }) => mayUse(principal, id));
    },

    get(principal, id) {
      refresh();
      const model = models.get(id);
      if (!model || !mayUse(principal, id)) throw notFound(id);
      return model;
    },

    resolve(principal, id) {
      refresh();
      const name = id ?? defaultId;
      if (!mayUse(principal, name)) throw notFound(name);
      const model = models.get(name);
      if (!model && models.size > 0) throw notFound(name);
      return { id: name, revision: model?.revision ?? "unknown" };
    },
  };
};
