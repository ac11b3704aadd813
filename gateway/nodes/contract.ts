import { type Static, Type } from "@sinclair/typebox";
import { Component, Count, Milliseconds, Nullable, OneOf, Page, Share, Strict, Timestamp } from "../contract";
import { DefaultSampling, ModelCapabilities, ModelPrefixes } from "../models/contract";

const NodeModel = Component("NodeModel", {
  id: Type.String(),
  kind: OneOf(["chat", "embedding", "rerank"]),
  revision: Type.String({
    description:
      "First 12 hex digits of the file's sha256, or what the engine reports. With prefixes: the first 12 digits of a hash of both",
  }),
  context_window: Type.Integer({
    minimum: 1,
    description: "Maximum tokens of prompt and answer together, or of one text to embed",
  }),
  dimensions: Nullable(Type.Integer({ minimum: 1 }), { description: "Length of the vectors; null for a chat model" }),
  prefixes: ModelPrefixes,
  sampling: DefaultSampling,
  capabilities: ModelCapabilities,
});

const Slots = Type.Object({ total: Count(), running: Count() });
const Queue = Type.Object({ depth: Count(), capacity: Count() });

const MemoryUse = Type.Object({ used_bytes: Count(), total_bytes: Count() });

const Machine = Component("Machine", {
  cpu: Type.String(),
  cores: Count("Logical processors"),
  memory: MemoryUse,
  gpu: Nullable(Type.Object({ names: Type.Array(Type.String()), memory: MemoryUse }), {
    description: "null: the embedded engine uses no GPU, or the engine is another server",
  }),
});

/** A GPU node as this gateway sees it. */
export const Node = Component("Node", {
  id: Type.String(),
  url: Type.String(),
  state: OneOf(["ready", "loading", "busy", "stuck", "draining", "ejected", "down"], {
    description:
      "loading: no model is loaded yet; busy: every slot is used and tokens arrive; stuck: requests are running, but no tokens arrive; draining: accepts no new requests; ejected: failed too often, will be tried again later; down: unreachable, or its engine failed permanently (last_error)",
  }),
  since: Timestamp,
  drained: Type.Boolean({ description: "Whether an admin has drained it" }),
  outstanding: Count("This gateway's active requests on the node"),
  latency_ms: Nullable(Milliseconds("Round trip of the last probe")),
  engine: Nullable(Type.String(), { description: "Engine and version; null until the first response of the node" }),
  synthetic: Type.Boolean({ description: "Whether it generates text without a model, for benchmarks and tests" }),
  version: Nullable(Type.String()),
  progress: Nullable(Share("Loaded fraction of the models"), { description: "null unless loading" }),
  models: Type.Array(NodeModel),
  slots: Nullable(Slots, { description: "For answers" }),
  queue: Nullable(Queue, { description: "For answers" }),
  embeddings: Nullable(Type.Object({ slots: Slots, queue: Queue }), {
    description: "For embeddings and reranking; null: this node does neither",
  }),
  last_token_ms: Nullable(Milliseconds("Time since the last token, while requests are running")),
  machine: Nullable(Machine, { description: "null: the node runs an earlier version, or has never responded" }),
  last_error: Nullable(Type.String()),
});
export type Node = Static<typeof Node>;

/** `POST /v1/nodes/{id}/check`: each model of the node has answered a real request, or failed. */
export const NodeCheck = Component("NodeCheck", {
  ok: Type.Boolean({ description: "Whether every model answered; false also for a node that has never reported" }),
  models: Type.Array(
    Type.Object({
      model: Type.String(),
      ok: Type.Boolean(),
      latency_ms: Milliseconds("From the request to the complete answer of one token or vector"),
      error: Nullable(Type.Object({ code: Type.String(), message: Type.String() })),
    }),
  ),
});
export type NodeCheck = Static<typeof NodeCheck>;

/** `POST /v1/nodes`: adds a node while the gateway is running. */
export const AddNode = Strict(
  {
    name: Type.String({
      pattern: "^[a-z0-9][a-z0-9-]{0,62}$",
      description: "The node's id: lower-case letters, digits and -",
    }),
    url: Type.String({
      pattern: "^https?://[^/@\\s]+/?$",
      maxLength: 500,
      description: "Without a path or password",
    }),
    token: Type.Optional(
      Type.String({ minLength: 1, maxLength: 500, description: "Sent to the node as a bearer token" }),
    ),
  },
  { title: "AddNode", examples: [{ name: "node-2", url: "http://10.0.0.5:8081" }] },
);

export const NodePage = Page(Node);
export type NodePage = Static<typeof NodePage>;
