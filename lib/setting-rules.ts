import type { Config } from "./config";
import type { ErrorDetail } from "./errors";
import { parseNetwork } from "./networks";

/** Whether only this machine can reach the address. */
const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);

export type EmbedderKind = Exclude<Config["node"]["embedder"], "auto">;

/** The embedder of a node, with `auto` resolved. */
export const embedderOf = ({ engine, embedder }: Pick<Config["node"], "engine" | "embedder">): EmbedderKind => {
  if (embedder !== "auto") return embedder;
  return engine === "openai" ? "off" : engine;
};

/** Where a node's reranker comes from: the configured file or server. */
export const rerankerOf = ({ models, node }: Pick<Config, "models" | "node">): "llama" | "openai" | "off" => {
  if (models.rerank) return "llama";
  return node.rerankerUrl ? "openai" : "off";
};

/** Finds settings that require or exclude each other. */
export const findContradictions = ({ gateway, models, node, store, webhooks }: Config): ErrorDetail[] => {
  const problems: ErrorDetail[] = [];
  const report = (path: string, message: string) => problems.push({ path, message });

  if (node.tlsCert && !node.tlsKey)
    report("GROUNDWIRE_NODE_TLS_KEY", "is missing; the certificate needs its private key");
  if (node.tlsKey && !node.tlsCert)
    report("GROUNDWIRE_NODE_TLS_CERT", "is missing; the private key needs its certificate");
  if (node.engine === "openai" && !node.engineUrl) {
    report("GROUNDWIRE_NODE_ENGINE_URL", "is missing; the openai engine needs the address of its server");
  }
  if (node.embedder === "openai" && !node.embedderUrl) {
    report("GROUNDWIRE_NODE_EMBEDDER_URL", "is missing; the openai embedder needs the address of its server");
  }
  if (node.rerankerUrl && models.rerank) {
    report("GROUNDWIRE_NODE_RERANKER_URL", "and GROUNDWIRE_RERANK_MODEL are both set; a node has one reranker");
  }
  if (store.vectorUrl && !store.vectorToken)
    report("UPSTASH_VECTOR_REST_TOKEN", "is missing; the Upstash Vector index needs its token");
  if (store.vectorToken && !store.vectorUrl)
    report("UPSTASH_VECTOR_REST_URL", "is missing; the token needs the address of its Upstash Vector index");
  for (const [name, networks] of [
    ["GROUNDWIRE_WEBHOOK_NETWORKS", webhooks.networks],
    ["GROUNDWIRE_TRUSTED_PROXIES", gateway.trustedProxies],
  ] as const) {
    for (const network of networks.filter((text) => !parseNetwork(text)))
      report(name, `contains ${network}, which is neither an address nor a network`);
  }
  if (!isLoopback(node.host)) {
    if (!gateway.nodeToken) {
      report("GROUNDWIRE_NODE_TOKEN", `is missing; a node that listens on ${node.host} must require a token`);
    }
    if (!node.tlsCert && !node.trustNetwork) {
      report(
        "GROUNDWIRE_NODE_TLS_CERT",
        `is missing; a node that listens on ${node.host} needs TLS, or GROUNDWIRE_NODE_TRUST_NETWORK=true in a private network`,
      );
    }
  }
  return problems;
};
