import { AppError, ERROR_KINDS, type ErrorKind, toEnvelope } from "../../../lib/errors";
import { ErrorEnvelope } from "../../contract";
import type { ErrorFormat } from "../route-facts";
import type { Components, JsonSchema } from "./schemas";

export const TAGS = [
  {
    name: "Chat",
    description: "Answers from language models, streamed or not, in OpenAI's format or with latency, cache and node.",
  },
  {
    name: "Responses",
    description: "Answers that are stored and can be continued, following the Open Responses specification.",
  },
  { name: "Messages", description: "Answers in the format of Anthropic's Messages API." },
  { name: "Models", description: "The models you can ask." },
  { name: "Embeddings", description: "Texts as vectors." },
  { name: "Reranking", description: "Sorting documents by relevance to a query." },
  { name: "Batches", description: "Files of requests that run in the background, in OpenAI's format." },
  { name: "RAG", description: "Document indexes, and answers from them with citations." },
  {
    name: "MCP",
    description: "Document indexes as tools for agents: the Model Context Protocol over streamable HTTP.",
  },
  { name: "Datasets", description: "Samples in immutable revisions." },
  { name: "Evaluation", description: "Single evaluations, runs and their comparison." },
  { name: "Batch evals", description: "Runs over whole datasets." },
  { name: "Evaluators", description: "Versioned scorers, and shadow versions to compare with them." },
  { name: "Prompts", description: "Versioned prompt templates." },
  { name: "Feedback", description: "Ratings of answers, comments on them and corrections." },
  { name: "Conversations", description: "History of the chat page." },
  { name: "Keys", description: "API keys, their roles and limits." },
  { name: "Webhooks", description: "URLs that receive events, and the deliveries to them." },
  { name: "Limits", description: "Your key's limits and remaining quota." },
  { name: "Cache", description: "The answer cache: statistics, keys and invalidation." },
  { name: "Nodes", description: "The machines that run the models." },
  { name: "Metrics", description: "Metrics as JSON and for Prometheus." },
  { name: "Requests", description: "The stored request log." },
  { name: "Audit", description: "Who changed what." },
  { name: "Health", description: "Probes for load balancers, and the status of every dependency." },
];

const text = (description: string, example: string) => ({ description, schema: { type: "string" }, example });
const number = (description: string, example: number) => ({ description, schema: { type: "integer" }, example });

export const HEADERS: Record<string, JsonSchema> = {
  "x-request-id": text("The caller's id if it was valid, otherwise a new one", "req_01jd8x1m9k2n3p4q5r6s7t8v9w"),
  "request-id": text("The same id, under the name that Anthropic's clients read", "req_01jd8x1m9k2n3p4q5r6s7t8v9w"),
  "server-timing": text("Stages in milliseconds", "queue;dur=0, ttft;dur=61.2, total;dur=148.9"),
  ratelimit: text("Remaining limits (IETF draft)", '"requests";r=118;t=60, "parallel";r=63'),
  "ratelimit-policy": text("The limits (IETF draft)", '"requests";q=120;w=60, "parallel";q=64'),
  "x-ratelimit-limit-requests": number("Requests per minute", 120),
  "x-ratelimit-remaining-requests": number("Requests left in this minute", 118),
  "x-ratelimit-reset-requests": text("Time until all requests of the limit are available again", "12.5s"),
  "x-ratelimit-limit-tokens": number("Tokens per minute; only for keys with this limit", 50_000),
  "x-ratelimit-remaining-tokens": number("Tokens left in this minute, without those that are reserved", 48_812),
  "x-ratelimit-reset-tokens": text("Time until all tokens of the limit are available again", "42.1s"),
  "retry-after": number("Seconds until the same request may be sent again", 12),
  "retry-after-ms": number("As retry-after, in milliseconds", 11_200),
  "x-should-retry": text("Whether the same request may succeed later", "true"),
  "www-authenticate": text("How to sign in", 'Bearer realm="groundwire"'),
  "x-retries": number(
    "Failed attempts before this answer, on the same or another node; not on a stream of /v1/chat",
    0,
  ),
  "x-fallback-from": text("The requested model, if a fallback model answered", "llama-3.1-70b-instruct"),
  "x-degraded": text("Codes of the current degradations, as in /readyz; absent if there are none", "cache_local"),
  "cache-status": text("How the cache handled the request (RFC 9211)", "groundwire; hit; ttl=86388"),
  age: number("Seconds since the answer was stored", 12),
};

export const RATE_LIMIT_HEADERS = [
  "ratelimit",
  "ratelimit-policy",
  "x-ratelimit-limit-requests",
  "x-ratelimit-remaining-requests",
  "x-ratelimit-reset-requests",
  "x-ratelimit-limit-tokens",
  "x-ratelimit-remaining-tokens",
  "x-ratelimit-reset-tokens",
];

export const headerRefs = (...names: string[]): JsonSchema =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));

const kindsOf = (status: number): ErrorKind[] =>
  (Object.keys(ERROR_KINDS) as ErrorKind[]).filter((kind) => ERROR_KINDS[kind].status === status);

const errorHeaders = (status: number): string[] => {
  const names = ["x-request-id", "x-should-retry"];
  if (status === 401) names.push("www-authenticate");
  if (status === 429 || status === 503) names.push("retry-after", "retry-after-ms");
  if (status === 429) names.push(...RATE_LIMIT_HEADERS);
  return names;
};

const errorExample = (kind: ErrorKind) =>
  toEnvelope(new AppError(kind, "What was wrong and what to do."), "req_01jd8x1m9k2n3p4q5r6s7t8v9w");

/**
 * One response component per error status, such as `Error429`. 499 never reaches a client, and no operation returns
 * 405.
 */
export const errorResponses = (components: Components): Record<string, JsonSchema> => {
  const statuses = new Set<number>(Object.values(ERROR_KINDS).map(({ status }) => status));
  statuses.delete(ERROR_KINDS.client_closed.status);
  statuses.delete(ERROR_KINDS.method_not_allowed.status);
  return Object.fromEntries(
    [...statuses].map((status) => [
      `Error${status}`,
      {
        ...errorDescription(status),
        content: {
          "application/json": {
            schema: components.add(ErrorEnvelope),
            examples: Object.fromEntries(kindsOf(status).map((kind) => [kind, { value: errorExample(kind) }])),
          },
        },
      },
    ]),
  );
};

const errorDescription = (status: number) => ({
  description: kindsOf(status)
    .map((kind) => `\`${kind}\``)
    .join(" or "),
  headers: headerRefs(...errorHeaders(status)),
});

/** An error response of a route that declares its own error format. */
export const errorResponse = (
  status: number,
  { schema, body, headers }: ErrorFormat,
  components: Components,
): JsonSchema => {
  const [kind = "internal"] = kindsOf(status);
  const requestId = "req_01jd8x1m9k2n3p4q5r6s7t8v9w";
  const example = body(new AppError(kind, "What was wrong and what to do."), requestId);
  const description = errorDescription(status);
  return {
    ...description,
    headers: { ...description.headers, ...headerRefs(...Object.keys(headers?.(requestId) ?? {})) },
    content: { "application/json": { schema: components.add(schema), example } },
  };
};

export const PARAMETERS: Record<string, JsonSchema> = {
  IdempotencyKey: {
    name: "Idempotency-Key",
    in: "header",
    description: "For 24 hours, the same key returns the first response again; with a different body it returns 422.",
    schema: { type: "string", minLength: 1, maxLength: 255 },
    example: "upload-2026-11-23",
  },
};
