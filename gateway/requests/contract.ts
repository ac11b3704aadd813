import { type Static, Type } from "@sinclair/typebox";
import {
  Component,
  Count,
  ErrorBody,
  Id,
  Milliseconds,
  Nullable,
  NumberInUrl,
  OneOf,
  Page,
  PageQuery,
  Timestamp,
} from "../contract";
import { FAULT_DOMAINS } from "../metrics/fault-domain";

const errorCode = ErrorBody.properties.code;
const faultDomain = OneOf(FAULT_DOMAINS, {
  description:
    "Fault domain. caller: the request; policy: a limit or a missing permission; node: the GPU node; gateway: Groundwire itself; unclassified: a bug",
});
const text = (maxLength: number, description: string, examples?: string[]) =>
  Type.Optional(Type.String({ minLength: 1, maxLength, description, examples }));

/** `GET /v1/requests`. All filters must match. */
export const RequestQuery = Type.Object({
  ...PageQuery.properties,
  id: text(128, "`x-request-id` of the response; a caller may have used it more than once"),
  key: text(100, "Id of the calling key"),
  route: text(200, "A route pattern, as in the log", ["/v1/chat"]),
  model: text(200, "Id of the model"),
  status: Type.Optional(
    Type.String({
      pattern: "^[1-5](?:[0-9]{2}|xx)$",
      description: "A status, or all of a class. A stream that fails after its first byte has status 200",
      examples: ["5xx"],
    }),
  ),
  outcome: Type.Optional(
    OneOf(["succeeded", "failed"], { description: "failed: every request with an `error`, including cancelled ones" }),
  ),
  fault_domain: Type.Optional(faultDomain),
  code: Type.Optional(errorCode),
  min_total_ms: Type.Optional(
    NumberInUrl({ minimum: 0, maximum: 86_400_000, description: "Only requests that took at least this long" }),
  ),
  since: Type.Optional({ ...Timestamp, description: "Only requests that arrived at this time or later" }),
  until: Type.Optional({ ...Timestamp, description: "Only requests that arrived at this time or earlier" }),
});
export type RequestQuery = Static<typeof RequestQuery>;

const nullable = (description: string) => Nullable(Milliseconds(description));

/** A finished request, without its bodies. */
export const LoggedRequest = Component("LoggedRequest", {
  id: Type.String({ description: "`x-request-id` of the response", examples: ["req_01jd8x1m9k2n3p4q5r6s7t8v9w"] }),
  received_at: Timestamp,
  method: Type.String({ examples: ["POST"] }),
  route: Type.String({ description: "Route pattern, or `unmatched`; never the URL itself", examples: ["/v1/chat"] }),
  object: Nullable(Type.String(), { description: "The id in the path, such as that of a conversation" }),
  status: Type.Integer({ minimum: 100, maximum: 599, description: "499: the client disconnected early" }),
  error: Nullable(Component("LoggedError", { code: Nullable(errorCode), fault_domain: faultDomain })),
  key: Nullable(
    Component("LoggedKey", {
      id: Id("key"),
      name: Nullable(Type.String()),
      via: OneOf(["key", "session", "worker"], { description: "session: a page; worker: a jobs worker for this key" }),
    }),
    { description: "null: no valid key" },
  ),
  model: Nullable(Type.String()),
  node: Nullable(Type.String(), { description: "Id of the GPU node that answered" }),
  stream: Type.Boolean(),
  cache: Nullable(OneOf(["hit", "miss", "joined", "bypass"])),
  calls: Count("Model calls"),
  attempts: Nullable(Count("Attempts on nodes, including the successful one")),
  timing: Component("RequestTiming", {
    gateway_ms: nullable("From arrival until the request went to the node, or until a cached answer was found"),
    queue_ms: nullable("Waiting for a slot on the node"),
    ttft_ms: nullable("From arrival until the first token"),
    total_ms: Milliseconds("From arrival until the last byte"),
  }),
  usage: Component("RequestUsage", { prompt_tokens: Count(), completion_tokens: Count() }),
  has_bodies: Type.Boolean({ description: "Whether the bodies were logged" }),
});
export type LoggedRequest = Static<typeof LoggedRequest>;

export const LoggedRequestPage = Page(LoggedRequest);
export type LoggedRequestPage = Static<typeof LoggedRequestPage>;

/** `GET /v1/requests/{id}`. */
export const LoggedRequestWithBodies = Component("LoggedRequestWithBodies", {
  ...LoggedRequest.properties,
  bodies: Nullable(
    Component("LoggedBodies", {
      prompt: Type.String({ description: "The request body" }),
      answer: Type.String({ description: "The response body; for a stream, its text" }),
      cut: Type.Boolean({ description: "Whether one of them was truncated" }),
    }),
    {
      description:
        "Only for requests of a key with `log_bodies`, and only shown to that key and admins; otherwise null",
    },
  ),
});
export type LoggedRequestWithBodies = Static<typeof LoggedRequestWithBodies>;

/** The id in `/v1/requests/{id}`. */
export const RequestPathId = Type.Object({ id: Type.String({ minLength: 1, maxLength: 128 }) });
