import { type Static, Type } from "@sinclair/typebox";
import { NodeSettings } from "./node-settings";
import { choice, flag, optionalText, text, webAddress, whole } from "./setting-kinds";
import { TracingSettings } from "./tracing-settings";

/** An origin as browsers send it, or `*`. */
const ORIGIN = "^(\\*|[A-Za-z][A-Za-z0-9+.-]*://[^\\s/?#@,*]+)$";
/** An address, or a network such as 10.1.0.0/16. */
const NETWORK = "^[0-9A-Fa-f:.]+(/\\d{1,3})?$";

/** A host name, or `*.` and a domain, with an optional port. The last label starts with a letter: no IP address. */
const IMAGE_HOST = "^(\\*\\.([a-z0-9-]+\\.)+|([a-z0-9-]+\\.)*)[a-z][a-z0-9-]*(:\\d{1,5})?$";

const minute = 60_000;
const mib = 1_048_576;

/**
 * All settings of all processes. The path in this schema, in snake_case, is the key in `groundwire.toml`.
 * `lib/setting-kinds.ts` explains the schemas; `lib/settings.ts` reads and checks the values.
 */
export const Config = Type.Object({
  dataDir: text("GROUNDWIRE_DATA_DIR", "Folder for the database and all other data", { default: "./data", file: true }),
  logLevel: choice("GROUNDWIRE_LOG_LEVEL", "Log level", ["silent", "error", "warn", "info", "debug"], "info"),

  gateway: Type.Object({
    host: text("GROUNDWIRE_HOST", "Address that the gateway listens on; 0.0.0.0 for all", { default: "127.0.0.1" }),
    port: whole("GROUNDWIRE_PORT", "Port of the gateway: API and pages; 0: any free one", 8080, 0, 65535),
    publicUrl: optionalText(
      "GROUNDWIRE_PUBLIC_URL",
      "Public address, if the gateway is behind a proxy, such as https://ai.example.com",
      webAddress,
    ),
    adminKey: optionalText(
      "GROUNDWIRE_ADMIN_KEY",
      "Admin key for automation, at least 32 characters; if omitted, one is created on the first run",
      { secret: true, minLength: 32 },
    ),
    nodes: Type.Array(Type.String({ pattern: webAddress.pattern }), {
      env: "GROUNDWIRE_NODES",
      expected: "addresses that begin with http:// or https://, separated by commas",
      description: "Addresses of the GPU nodes, separated by commas; if omitted, the node on this machine",
      default: [],
    }),
    nodeToken: optionalText(
      "GROUNDWIRE_NODE_TOKEN",
      "Token shared by gateway and nodes; required if a node listens beyond this machine",
      { secret: true },
    ),
    nodeConnections: whole("GROUNDWIRE_NODE_CONNECTIONS", "HTTP/2 connections to each node", 2, 1, 16),
    corsOrigins: Type.Array(Type.String({ pattern: ORIGIN }), {
      env: "GROUNDWIRE_CORS_ORIGINS",
      expected: "origins such as https://app.example.com, without a path, separated by commas; or * for any origin",
      description:
        "Origins whose pages may call the API from a browser, separated by commas, such as https://app.example.com; * for any; default: none",
      default: [],
    }),
    trustedProxies: Type.Array(Type.String({ pattern: NETWORK }), {
      env: "GROUNDWIRE_TRUSTED_PROXIES",
      expected: "addresses or networks such as 10.1.0.0/16, separated by commas",
      description: "Proxies whose x-forwarded-for is trusted, separated by commas, such as 10.1.0.0/16; default: none",
      default: [],
    }),
    maxBodyBytes: whole("GROUNDWIRE_MAX_BODY_BYTES", "Maximum size of a JSON body", 4 * mib, 1024, 1024 * mib),
    maxMediaBodyBytes: whole(
      "GROUNDWIRE_MAX_MEDIA_BODY_BYTES",
      "Maximum size of a chat request with images or audio; GROUNDWIRE_MAX_BODY_BYTES limits everything else in it. Set both on the gateway and on the nodes",
      32 * mib,
      1024,
      1024 * mib,
    ),
    imageHosts: Type.Array(Type.String({ pattern: IMAGE_HOST }), {
      env: "GROUNDWIRE_IMAGE_HOSTS",
      expected:
        "host names in lower case such as images.example.com, *.example.com or minio:9000, separated by commas; no IP addresses",
      description:
        "Hosts from which models' servers may fetch images, separated by commas, such as images.example.com, or *.example.com for all subdomains; default: none",
      default: [],
    }),
    requestsPerMinute: whole(
      "GROUNDWIRE_REQUESTS_PER_MINUTE",
      "Default requests per minute and key",
      600,
      1,
      10_000_000,
    ),
    parallelRequests: whole("GROUNDWIRE_PARALLEL_REQUESTS", "Default parallel requests per key", 64, 1, 100_000),
    gpuPricePerHour: Type.Optional(
      Type.Number({
        env: "GROUNDWIRE_GPU_PRICE_PER_HOUR",
        description: "Total hourly price of all rented machines, used for the costs on the dashboard, such as 2.49",
        minimum: 0,
        maximum: 1_000_000,
      }),
    ),
    currency: text("GROUNDWIRE_CURRENCY", "Currency of that price, as an ISO 4217 code", {
      default: "USD",
      pattern: "^[A-Z]{3}$",
      expected: "three capital letters, such as USD or EUR",
    }),
    busyMaxTokens: whole(
      "GROUNDWIRE_BUSY_MAX_TOKENS",
      "Maximum length of interactive answers, in tokens, while the nodes' queues are more than half full",
      512,
      1,
      1_000_000,
    ),
    drainMs: whole("GROUNDWIRE_DRAIN_MS", "Milliseconds for answers to finish on SIGTERM", 30_000, 0, 10 * minute),
  }),

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
