import { type Static, Type } from "@sinclair/typebox";
import { GatewaySettings } from "./gateway-settings";
import { NodeSettings } from "./node-settings";
import { choice, flag, NETWORK, optionalText, text, webAddress, whole } from "./setting-kinds";
import { TracingSettings } from "./tracing-settings";

const minute = 60_000;
const mib = 1_048_576;

/**
 * All settings of all processes. The path in this schema, in snake_case, is the key in `groundwire.toml`.
 * `lib/setting-kinds.ts` explains the schemas; `lib/settings.ts` reads and checks the values.
 */
export const Config = Type.Object({
  dataDir: text("GROUNDWIRE_DATA_DIR", "Folder for the database and all other data", { default: "./data", file: true }),
  logLevel: choice("GROUNDWIRE_LOG_LEVEL", "Log level", ["silent", "error", "warn", "info", "debug"], "info"),

  gateway: GatewaySettings,

  timeouts: Type.Object({
    queueMs: whole("GROUNDWIRE_QUEUE_TIMEOUT_MS", "Maximum wait for a free slot on a node", minute, 1, 60 * minute),
    firstTokenMs: whole(
      "GROUNDWIRE_FIRST_TOKEN_TIMEOUT_MS",
      "Maximum wait for the first token",
      minute,
      1,
      60 * minute,
    ),
    nextTokenMs: whole("GROUNDWIRE_NEXT_TOKEN_TIMEOUT_MS", "Maximum wait between two tokens", 30_000, 1, 60 * minute),
    stuckMs: whole(
      "GROUNDWIRE_STUCK_MS",
      "A node without a token on any stream for this long is considered stuck and avoided",
      15_000,
      3000,
      60 * minute,
    ),
    totalMs: whole(
      "GROUNDWIRE_TOTAL_TIMEOUT_MS",
      "Maximum time for a complete answer",
      10 * minute,
      1,
      24 * 60 * minute,
    ),
  }),

  store: Type.Object({
    url: optionalText(
      "LIBSQL_URL",
      "libSQL server, such as libsql://db.example.com; if omitted, a file in the data folder",
      { pattern: "^(libsql|https?|wss?)://", expected: "an address that begins with libsql://, https:// or http://" },
    ),
    authToken: optionalText("LIBSQL_AUTH_TOKEN", "Token for the libSQL server", { secret: true }),
    vectorUrl: optionalText("UPSTASH_VECTOR_REST_URL", "Upstash Vector index; default: search in memory", webAddress),
    vectorToken: optionalText("UPSTASH_VECTOR_REST_TOKEN", "Token for the Upstash Vector index", { secret: true }),
    redisUrl: optionalText("REDIS_URL", "Redis that all gateways share for cache and limits: redis://127.0.0.1:6379", {
      secret: true,
      pattern: "^rediss?://",
      expected: "an address that begins with redis:// or rediss://",
    }),
  }),

  cache: Type.Object({
    enabled: flag("GROUNDWIRE_CACHE", "Cache vectors, and answers at temperature 0 or with a seed", true),
    optIn: flag("GROUNDWIRE_CACHE_OPT_IN", "Cache only requests with max-age, s-maxage or only-if-cached", false),
    ttlSeconds: whole("GROUNDWIRE_CACHE_TTL_SECONDS", "How long an answer is kept", 86_400, 1, 31_536_000),
    staleSeconds: whole(
      "GROUNDWIRE_CACHE_STALE_SECONDS",
      "How long expired answers are kept, to be served while no node accepts requests; 0: not kept",
      86_400,
      0,
      31_536_000,
    ),
    maxBytes: whole("GROUNDWIRE_CACHE_MAX_BYTES", "Memory for cached answers", 64 * mib, mib, 64 * 1024 * mib),
  }),

  requestLog: Type.Object({
    days: whole("GROUNDWIRE_REQUEST_LOG_DAYS", "How long the request log keeps a request", 30, 1, 3650),
    rows: whole(
      "GROUNDWIRE_REQUEST_LOG_ROWS",
      "How many requests the request log keeps, about 0.3 MB per 1,000; 0: nothing is logged",
      500_000,
      0,
      100_000_000,
    ),
  }),

  responses: Type.Object({
    days: whole(
      "GROUNDWIRE_RESPONSE_DAYS",
      "How long responses of /v1/responses are kept after they are created or last continued; 0: they are not stored",
      30,
      0,
      3650,
    ),
  }),

  datasets: Type.Object({
    maxUploadBytes: whole(
      "GROUNDWIRE_MAX_UPLOAD_BYTES",
      "Maximum size of an uploaded file; Parquet may decompress to four times as much",
      64 * mib,
      1024,
      64 * 1024 * mib,
    ),
    maxRows: whole("GROUNDWIRE_MAX_DATASET_ROWS", "Maximum number of rows in an upload", 100_000, 1, 100_000_000),
    maxRowBytes: whole("GROUNDWIRE_MAX_ROW_BYTES", "Maximum size of a row in an upload", mib, 1024, 64 * mib),
    maxColumns: whole("GROUNDWIRE_MAX_DATASET_COLUMNS", "Maximum number of columns in an upload", 256, 1, 10_000),
    stallMs: whole(
      "GROUNDWIRE_UPLOAD_STALL_MS",
      "An upload that makes no progress for this long is aborted",
      30_000,
      100,
      60 * minute,
    ),
  }),

  batches: Type.Object({
    maxRequests: whole("GROUNDWIRE_BATCH_MAX_REQUESTS", "Maximum number of requests in a batch", 50_000, 1, 1_000_000),
    fileDays: whole(
      "GROUNDWIRE_FILE_DAYS",
      "How long ended batches, and files without expires_after, are kept",
      30,
      1,
      3650,
    ),
  }),

  models: Type.Object({
    dir: text("GROUNDWIRE_MODELS_DIR", "Folder for model files; if omitted, a folder in the user's cache", {
      file: true,
    }),
    chat: text("GROUNDWIRE_CHAT_MODEL", "Default chat model: a name from the catalogue or the path of a .gguf file", {
      default: "smollm2-135m-instruct",
    }),
    fallbacks: Type.Array(Type.String({ minLength: 1 }), {
      env: "GROUNDWIRE_FALLBACK_MODELS",
      expected: "names of chat models, separated by commas",
      description:
        "Chat models in order of preference, separated by commas: if one can't answer, the next one does; default: none",
      default: [],
    }),
    embedding: text(
      "GROUNDWIRE_EMBEDDING_MODEL",
      "Default embedding model: a name from the catalogue or the path of a .gguf file",
      { default: "all-minilm-l6-v2" },
    ),
    rerank: optionalText(
      "GROUNDWIRE_RERANK_MODEL",
      "Path of the .gguf file of a reranker that the node runs itself; if omitted, none",
    ),
    queryPrefix: optionalText(
      "GROUNDWIRE_EMBEDDING_QUERY_PREFIX",
      'Text before every question that is embedded, such as "query: "; left out: as the catalogue says',
    ),
    documentPrefix: optionalText(
      "GROUNDWIRE_EMBEDDING_DOCUMENT_PREFIX",
      'Text before every chunk of a document that is embedded, such as "passage: "; left out: as the catalogue says',
    ),
    huggingFaceUrl: text("HF_ENDPOINT", "Hugging Face or a mirror that model files are downloaded from", {
      default: "https://huggingface.co",
      ...webAddress,
    }),
    huggingFaceToken: optionalText("HF_TOKEN", "Token for models that require a Hugging Face account", {
      secret: true,
    }),
  }),

  node: NodeSettings,

  jobs: Type.Object({
    gatewayUrl: optionalText(
      "GROUNDWIRE_GATEWAY_URL",
      "Address at which jobs workers reach the gateway, to embed documents; left out: the gateway on this machine",
      webAddress,
    ),
    leaseMs: whole(
      "GROUNDWIRE_JOBS_LEASE_MS",
      "A jobs worker that misses heartbeats for this long is considered dead; others take over its work",
      30_000,
      300,
      10 * minute,
    ),
    drainMs: whole(
      "GROUNDWIRE_JOBS_DRAIN_MS",
      "Milliseconds for running jobs to finish on SIGTERM before they are requeued",
      25_000,
      0,
      10 * minute,
    ),
  }),

  tracing: TracingSettings,

  webhooks: Type.Object({
    networks: Type.Array(Type.String({ pattern: NETWORK }), {
      env: "GROUNDWIRE_WEBHOOK_NETWORKS",
      expected: "addresses or networks such as 10.1.0.0/16, separated by commas",
      description:
        "Private addresses or networks that webhooks may use, separated by commas, such as 10.1.0.0/16; default: only public addresses",
      default: [],
    }),
    http: flag("GROUNDWIRE_WEBHOOK_HTTP", "Allow webhooks with http:// addresses", false),
  }),

  client: Type.Object({
    url: optionalText("GROUNDWIRE_URL", "Address of a running gateway, for commands that call one", webAddress),
    key: optionalText("GROUNDWIRE_API_KEY", "Key for that gateway", { secret: true }),
  }),

  synthetic: Type.Object({
    firstTokenMs: whole(
      "GROUNDWIRE_SYNTHETIC_FIRST_TOKEN_MS",
      "Synthetic engine: delay before the first token",
      0,
      0,
      10 * minute,
    ),
    tokenMs: whole("GROUNDWIRE_SYNTHETIC_TOKEN_MS", "Synthetic engine: delay between tokens", 0, 0, 10 * minute),
    tokens: whole("GROUNDWIRE_SYNTHETIC_TOKENS", "Synthetic engine: tokens per answer", 16, 1, 1_000_000),
  }),
});

/** The checked configuration of a process. */
export type Config = Static<typeof Config>;
