import { type Static, Type } from "@sinclair/typebox";

/**
 * Every setting of every process. `env` is the variable, the path in this schema (in snake_case) the place in
 * `groundwire.toml`; `secret` values are masked wherever they are shown, `file` values are resolved against the folder
 * that the process starts in, `expected` says a pattern in words. `lib/settings.ts` reads and checks them.
 */
const text = (env: string, description: string, options: object = {}) => Type.String({ env, description, ...options });
const optionalText = (env: string, description: string, options: object = {}) =>
  Type.Optional(Type.String({ env, description, minLength: 1, ...options }));
const whole = (env: string, description: string, value: number, minimum: number, maximum: number) =>
  Type.Integer({ env, description, minimum, maximum, default: value });
const optionalWhole = (env: string, description: string, minimum: number, maximum: number) =>
  Type.Optional(Type.Integer({ env, description, minimum, maximum }));
const flag = (env: string, description: string, value: boolean) => Type.Boolean({ env, description, default: value });
const choice = <const T extends string>(env: string, description: string, values: readonly T[], value: T) =>
  Type.Unsafe<T>(
    Type.Union(
      values.map((name) => Type.Literal(name)),
      { env, description, default: value },
    ),
  );
const webAddress = { pattern: "^https?://[^\\s/]+", expected: "an address that begins with http:// or https://" };

/** An origin as browsers send it, or `*`. */
const ORIGIN = "^(\\*|[A-Za-z][A-Za-z0-9+.-]*://[^\\s/?#@,*]+)$";

const minute = 60_000;
const mib = 1_048_576;

export const Config = Type.Object({
  dataDir: text("GROUNDWIRE_DATA_DIR", "Folder of the database and everything else that has to be kept", {
    default: "./data",
    file: true,
  }),
  logLevel: choice(
    "GROUNDWIRE_LOG_LEVEL",
    "How much the log says",
    ["silent", "error", "warn", "info", "debug"],
    "info",
  ),

  gateway: Type.Object({
    host: text("GROUNDWIRE_HOST", "Address that the gateway listens on; 0.0.0.0 for all", { default: "127.0.0.1" }),
    port: whole("GROUNDWIRE_PORT", "Port of the gateway: API and pages; 0: any free one", 8080, 0, 65535),
    publicUrl: optionalText(
      "GROUNDWIRE_PUBLIC_URL",
      "Address that browsers use when a proxy stands in front, such as https://ai.example.com",
      webAddress,
    ),
    adminKey: optionalText(
      "GROUNDWIRE_ADMIN_KEY",
      "Admin key for automation, 32 characters or more; without it one is made on the first run",
      { secret: true, minLength: 32 },
    ),
    nodes: Type.Array(Type.String({ pattern: webAddress.pattern }), {
      env: "GROUNDWIRE_NODES",
      expected: "addresses that begin with http:// or https://, separated by commas",
      description: "Addresses of the GPU nodes, separated by commas; left out: the node on this machine",
      default: [],
    }),
    nodeToken: optionalText(
      "GROUNDWIRE_NODE_TOKEN",
      "Token that gateway and nodes share; needed when a node listens beyond this machine",
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
    maxBodyBytes: whole("GROUNDWIRE_MAX_BODY_BYTES", "Largest JSON body", 4 * mib, 1024, 1024 * mib),
    requestsPerMinute: whole(
      "GROUNDWIRE_REQUESTS_PER_MINUTE",
      "Requests a minute for a key without a limit of its own",
      600,
      1,
      10_000_000,
    ),
    parallelRequests: whole(
      "GROUNDWIRE_PARALLEL_REQUESTS",
      "Requests at once for a key without a limit of its own",
      64,
      1,
      100_000,
    ),
    drainMs: whole(
      "GROUNDWIRE_DRAIN_MS",
      "Milliseconds that running answers get to end on SIGTERM",
      30_000,
      0,
      10 * minute,
    ),
  }),

  timeouts: Type.Object({
    queueMs: whole("GROUNDWIRE_QUEUE_TIMEOUT_MS", "Longest wait for a free slot on a node", minute, 1, 60 * minute),
    firstTokenMs: whole(
      "GROUNDWIRE_FIRST_TOKEN_TIMEOUT_MS",
      "Longest wait for the first token",
      minute,
      1,
      60 * minute,
    ),
    nextTokenMs: whole("GROUNDWIRE_NEXT_TOKEN_TIMEOUT_MS", "Longest wait between two tokens", 30_000, 1, 60 * minute),
    stuckMs: whole(
      "GROUNDWIRE_STUCK_MS",
      "A node without a token on any stream for this long is considered stuck and avoided",
      15_000,
      3000,
      60 * minute,
    ),
    totalMs: whole("GROUNDWIRE_TOTAL_TIMEOUT_MS", "Longest time for a whole answer", 10 * minute, 1, 24 * 60 * minute),
  }),

  store: Type.Object({
    url: optionalText(
      "LIBSQL_URL",
      "libSQL server, such as libsql://db.example.com; left out: a file in the data folder",
      { pattern: "^(libsql|https?|wss?)://", expected: "an address that begins with libsql://, https:// or http://" },
    ),
    authToken: optionalText("LIBSQL_AUTH_TOKEN", "Token for the libSQL server", { secret: true }),
    redisUrl: optionalText("REDIS_URL", "Redis for the cache of several gateways, such as redis://127.0.0.1:6379", {
      secret: true,
      pattern: "^rediss?://",
      expected: "an address that begins with redis:// or rediss://",
    }),
  }),

  cache: Type.Object({
    enabled: flag("GROUNDWIRE_CACHE", "Keep vectors, and answers at temperature 0 or with a seed", true),
    optIn: flag(
      "GROUNDWIRE_CACHE_OPT_IN",
      "Use the cache only for requests that ask for it by max-age, s-maxage or only-if-cached",
      false,
    ),
    ttlSeconds: whole("GROUNDWIRE_CACHE_TTL_SECONDS", "How long an answer is kept", 86_400, 1, 31_536_000),
    maxBytes: whole(
      "GROUNDWIRE_CACHE_MAX_BYTES",
      "Memory for answers inside the gateway",
      64 * mib,
      mib,
      64 * 1024 * mib,
    ),
  }),

  datasets: Type.Object({
    maxUploadBytes: whole(
      "GROUNDWIRE_MAX_UPLOAD_BYTES",
      "Largest upload for a dataset; of Parquet also a fourth of what it may hold unpacked",
      64 * mib,
      1024,
      64 * 1024 * mib,
    ),
    maxRows: whole("GROUNDWIRE_MAX_DATASET_ROWS", "Most rows of an upload", 100_000, 1, 100_000_000),
    maxRowBytes: whole("GROUNDWIRE_MAX_ROW_BYTES", "Largest row of an upload", mib, 1024, 64 * mib),
    maxColumns: whole("GROUNDWIRE_MAX_DATASET_COLUMNS", "Most different columns of an upload", 256, 1, 10_000),
    stallMs: whole(
      "GROUNDWIRE_UPLOAD_STALL_MS",
      "An upload without new bytes or progress for this long is aborted",
      30_000,
      100,
      60 * minute,
    ),
  }),

  models: Type.Object({
    dir: text("GROUNDWIRE_MODELS_DIR", "Folder of the model files; left out: a folder in the user's cache", {
      file: true,
    }),
    chat: text("GROUNDWIRE_CHAT_MODEL", "Default chat model: a name of the catalogue, or the path of a .gguf file", {
      default: "smollm2-135m-instruct",
    }),
    embedding: text(
      "GROUNDWIRE_EMBEDDING_MODEL",
      "Default embedding model: a name of the catalogue, or the path of a .gguf file",
      { default: "all-minilm-l6-v2" },
    ),
    huggingFaceUrl: text("HF_ENDPOINT", "Hugging Face or a mirror of it, where model files come from", {
      default: "https://huggingface.co",
      ...webAddress,
    }),
    huggingFaceToken: optionalText("HF_TOKEN", "Token for models that Hugging Face gives to known users only", {
      secret: true,
    }),
  }),

  node: Type.Object({
    host: text("GROUNDWIRE_NODE_HOST", "Address that the GPU node listens on", { default: "127.0.0.1" }),
    port: whole("GROUNDWIRE_NODE_PORT", "Port of the GPU node; 0: any free one", 8081, 0, 65535),
    tlsCert: optionalText("GROUNDWIRE_NODE_TLS_CERT", "Certificate file (PEM) of the node", { file: true }),
    tlsKey: optionalText("GROUNDWIRE_NODE_TLS_KEY", "Private key file (PEM) of the node", { file: true }),
    trustNetwork: flag(
      "GROUNDWIRE_NODE_TRUST_NETWORK",
      "Allow a node beyond this machine without TLS, because the network is private",
      false,
    ),
    engine: choice(
      "GROUNDWIRE_NODE_ENGINE",
      "llama: embedded llama.cpp; openai: a server on the box; synthetic: benchmarks and fault tests",
      ["llama", "openai", "synthetic"],
      "llama",
    ),
    engineUrl: optionalText(
      "GROUNDWIRE_NODE_ENGINE_URL",
      "Address of the OpenAI-compatible server for the engine openai, such as http://127.0.0.1:8000",
      webAddress,
    ),
    engineKey: optionalText("GROUNDWIRE_NODE_ENGINE_KEY", "API key of that server", { secret: true }),
    embedder: choice(
      "GROUNDWIRE_NODE_EMBEDDER",
      "What makes embeddings; auto: the embedded llama.cpp beside the engine llama, synthetic beside synthetic, else off",
      ["auto", "llama", "openai", "synthetic", "off"],
      "auto",
    ),
    embedderUrl: optionalText(
      "GROUNDWIRE_NODE_EMBEDDER_URL",
      "Address of the server for the embedder openai: TEI, Infinity, vLLM or llama-server",
      webAddress,
    ),
    embedderKey: optionalText("GROUNDWIRE_NODE_EMBEDDER_KEY", "API key of that server", { secret: true }),
    embedderSlots: whole("GROUNDWIRE_NODE_EMBEDDER_SLOTS", "Requests for embeddings that run at once", 64, 1, 4096),
    embedderQueue: optionalWhole(
      "GROUNDWIRE_NODE_EMBEDDER_QUEUE",
      "Requests for embeddings that may wait; left out: as many as run at once",
      0,
      100_000,
    ),
    slots: whole("GROUNDWIRE_NODE_SLOTS", "Answers that are generated at once", 8, 1, 1024),
    queue: whole("GROUNDWIRE_NODE_QUEUE", "Requests that may wait for a slot", 56, 0, 100_000),
    contextTokens: whole(
      "GROUNDWIRE_NODE_CONTEXT_TOKENS",
      "Tokens of prompt and answer for one request",
      4096,
      128,
      10_000_000,
    ),
    threads: optionalWhole(
      "GROUNDWIRE_NODE_THREADS",
      "CPU threads of the engine; left out: the physical cores that are free for it",
      1,
      1024,
    ),
    gpu: choice("GROUNDWIRE_NODE_GPU", "Where the model runs", ["auto", "cuda", "vulkan", "metal", "off"], "auto"),
    stuckMs: whole(
      "GROUNDWIRE_NODE_STUCK_MS",
      "A node that works but produces no token for this long reports itself as stuck",
      30_000,
      100,
      60 * minute,
    ),
    drainMs: whole(
      "GROUNDWIRE_NODE_DRAIN_MS",
      "Milliseconds that running answers get to end on SIGTERM",
      30_000,
      0,
      10 * minute,
    ),
  }),

  jobs: Type.Object({
    leaseMs: whole(
      "GROUNDWIRE_JOBS_LEASE_MS",
      "A jobs worker that misses heartbeats for this long is considered dead, and others do its work",
      30_000,
      300,
      10 * minute,
    ),
    drainMs: whole(
      "GROUNDWIRE_JOBS_DRAIN_MS",
      "Milliseconds that running jobs get to end on SIGTERM before they are given back",
      25_000,
      0,
      10 * minute,
    ),
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
    tokens: whole("GROUNDWIRE_SYNTHETIC_TOKENS", "Synthetic engine: tokens of an answer", 16, 1, 1_000_000),
  }),
});

/** What the processes run with, checked and complete. */
export type Config = Static<typeof Config>;
