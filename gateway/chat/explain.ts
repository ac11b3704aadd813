import { canonicalJson } from "../../lib/canonical-json";
import type { CacheExplanation } from "../cache/contract";
import { type RecentRequest, showParts } from "../cache/key";
import type { Namespaces } from "../cache/namespaces";
import type { AnswerCache } from "../cache/service";
import type { Models } from "../models/registry";
import type { Principal } from "../principal";
import { assertCapable } from "./capabilities";
import type { ExplainCache } from "./contract";
import type { ImageRules } from "./images";
import { cacheBypass, cacheParts } from "./request";

export interface ExplainDeps {
  answers: Pick<AnswerCache, "inspect" | "recent">;
  models: Pick<Models, "resolve" | "find" | "isAwaited">;
  namespaces: Pick<Namespaces, "nameOf">;
  images: ImageRules;
}

/** The namespace and the key's parts, by name. */
const named = ({ namespace, parts }: RecentRequest): Record<string, unknown> => ({ namespace, ...JSON.parse(parts) });

/** The parts, including the namespace, that differ between two requests. */
const differences = (mine: Record<string, unknown>, other: Record<string, unknown>) =>
  [...new Set([...Object.keys(mine), ...Object.keys(other)])]
    .filter((part) => canonicalJson(mine[part]) !== canonicalJson(other[part]))
    .map((part) => ({ part, this: mine[part] ?? null, other: other[part] ?? null }));

/**
 * Shows what the cache would do with a request, the parts of the request's key, and how they differ from an earlier
 * request. Throws model_not_found, and invalid_request for what the model can't do.
 */
export const explainCache = async (
  { answers, models, namespaces, images }: ExplainDeps,
  principal: Principal,
  { operation = "chat", request, namespace = namespaces.nameOf(principal.keyId), compare_with }: ExplainCache,
): Promise<CacheExplanation> => {
  const model = models.resolve(principal, "chat", request.model);
  assertCapable(operation, request, model);
  const parts = cacheParts(operation, request, model);
  const asked = { parts, bypass: cacheBypass(request, images.check(request)) };
  const { id, bypass, hit } = await answers.inspect(namespace, asked);
  const mine: RecentRequest = { namespace, key: id.key, parts: showParts(id) };
  const other = compare_with === undefined ? undefined : answers.recent(compare_with);
  return {
    cacheable: bypass === undefined,
    reason: bypass ?? null,
    key: id.key,
    namespace,
    parts: JSON.parse(mine.parts),
    stored: hit
      ? {
          kind: hit.layer,
          age: Math.max(0, Math.floor((Date.now() - hit.storedAt.getTime()) / 1000)),
          expires_at: hit.expiresAt.toISOString(),
          tags: [...hit.tags],
        }
      : null,
    comparison:
      compare_with === undefined
        ? null
        : {
            request_id: compare_with,
            found: other !== undefined,
            same_key: other?.key === id.key,
            differences: other ? differences(named(mine), named(other)) : [],
          },
  };
};
