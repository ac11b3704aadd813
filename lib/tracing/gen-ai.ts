/* Names of OpenTelemetry's conventions for generative AI, shared by gateway and node, for spans and metrics. */

/** `gen_ai.operation.name`. The conventions have no name for reranking. */
export const OPERATIONS = {
  chat: "chat",
  completion: "text_completion",
  embedding: "embeddings",
  rerank: "rerank",
} as const;

/** `gen_ai.provider.name`: the conventions have no name for self-hosted engines. */
export const PROVIDER = "groundwire";
