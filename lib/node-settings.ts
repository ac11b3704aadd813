import { Type } from "@sinclair/typebox";
import { NEVER_FORWARDED } from "./forwarded-fields";
import { choice, flag, optionalText, optionalWhole, text, webAddress, whole } from "./setting-kinds";

const minute = 60_000;
/** The name of a capability to switch on or, with a leading hyphen, off. */
const CAPABILITY = "^-?(tools|vision|audio_input|reasoning|json_schema|logprobs)$";
const FIELD = `^(?!(${NEVER_FORWARDED.join("|")})$)-?[a-zA-Z_][a-zA-Z0-9_]{0,63}$`;

/** The settings of a GPU node. */
export const NodeSettings = Type.Object({
  host: text("GROUNDWIRE_NODE_HOST", "Address that the GPU node listens on", { default: "127.0.0.1" }),
  port: whole("GROUNDWIRE_NODE_PORT", "Port of the GPU node; 0: any free one", 8081, 0, 65535),
  tlsCert: optionalText("GROUNDWIRE_NODE_TLS_CERT", "Certificate file (PEM) of the node", { file: true }),
  tlsKey: optionalText("GROUNDWIRE_NODE_TLS_KEY", "Private key file (PEM) of the node", { file: true }),
  trustNetwork: flag("GROUNDWIRE_NODE_TRUST_NETWORK", "Allow a node without TLS in a private network", false),
  engine: choice(
    "GROUNDWIRE_NODE_ENGINE",
    "llama: embedded llama.cpp; openai: a server on the same machine; synthetic: benchmarks and fault tests",
    ["llama", "openai", "synthetic"],
    "llama",
  ),
  engineUrl: optionalText(
    "GROUNDWIRE_NODE_ENGINE_URL",
    "Address of the OpenAI-compatible server for the openai engine, such as http://127.0.0.1:8000",
    webAddress,
  ),
  engineKey: optionalText("GROUNDWIRE_NODE_ENGINE_KEY", "API key of that server", { secret: true }),
  engineServer: choice(
    "GROUNDWIRE_NODE_ENGINE_SERVER",
    "Type of that server, which determines its default capabilities and request fields; auto: detected from its list of models",
    ["auto", "vllm", "sglang", "llama-server", "other"],
    "auto",
  ),
  engineCapabilities: Type.Array(Type.String({ pattern: CAPABILITY }), {
    env: "GROUNDWIRE_NODE_ENGINE_CAPABILITIES",
    expected:
      "tools, vision, audio_input, reasoning, json_schema or logprobs, separated by commas; a leading - switches one off",
    description:
      "Capabilities to switch on for that server's models or, with a leading -, off, separated by commas, such as vision,reasoning,-tools",
    default: [],
  }),
  engineFields: Type.Array(Type.String({ pattern: FIELD }), {
    env: "GROUNDWIRE_NODE_ENGINE_FIELDS",
    expected: `names of request fields, separated by commas; a leading - removes one. Never accepted: ${NEVER_FORWARDED.join(", ")}`,
    description:
      "Request fields to pass to that server in addition to those known for its type or, with a leading -, not to pass, separated by commas, such as guided_regex,-ignore_eos",
    default: [],
  }),
  engineMaxChoices: optionalWhole(
    "GROUNDWIRE_NODE_ENGINE_MAX_CHOICES",
    "Maximum n (answers per request) for that server; if omitted, 8 for vLLM and SGLang, otherwise 1",
    1,
    128,
  ),
  embedder: choice(
    "GROUNDWIRE_NODE_EMBEDDER",
    "Embedder; auto: the same as the engine for llama and synthetic, otherwise off",
    ["auto", "llama", "openai", "synthetic", "off"],
    "auto",
  ),
  embedderUrl: optionalText(
    "GROUNDWIRE_NODE_EMBEDDER_URL",
    "Address of the server for the openai embedder: TEI, Infinity, vLLM or llama-server",
    webAddress,
  ),
  embedderKey: optionalText("GROUNDWIRE_NODE_EMBEDDER_KEY", "API key of that server", { secret: true }),
  embedderSlots: whole("GROUNDWIRE_NODE_EMBEDDER_SLOTS", "Parallel embedding and rerank requests", 64, 1, 4096),
  embedderQueue: optionalWhole(
    "GROUNDWIRE_NODE_EMBEDDER_QUEUE",
    "Embedding and rerank requests that may wait; if omitted, as many as may run in parallel",
    0,
    100_000,
  ),
  rerankerUrl: optionalText(
    "GROUNDWIRE_NODE_RERANKER_URL",
    "Address of a server with a rerank model: TEI, Infinity, vLLM or SGLang; may be the embedder's server",
    webAddress,
  ),
  rerankerKey: optionalText("GROUNDWIRE_NODE_RERANKER_KEY", "API key of that server", { secret: true }),
  slots: whole("GROUNDWIRE_NODE_SLOTS", "Answers generated in parallel", 8, 1, 1024),
  queue: whole("GROUNDWIRE_NODE_QUEUE", "Requests that may wait for a slot", 56, 0, 100_000),
  contextTokens: whole("GROUNDWIRE_NODE_CONTEXT_TOKENS", "Context window per answer, in tokens", 4096, 128, 10_000_000),
  threads: optionalWhole(
    "GROUNDWIRE_NODE_THREADS",
    "CPU threads of the engine; if omitted, one per free physical core",
    1,
    1024,
  ),
  gpu: choice("GROUNDWIRE_NODE_GPU", "Device that runs the model", ["auto", "cuda", "vulkan", "metal", "off"], "auto"),
  stuckMs: whole(
    "GROUNDWIRE_NODE_STUCK_MS",
    "A node that works but produces no token for this long reports itself as stuck",
    30_000,
    100,
    60 * minute,
  ),
  drainMs: whole("GROUNDWIRE_NODE_DRAIN_MS", "Milliseconds for answers to finish on SIGTERM", 30_000, 0, 10 * minute),
});
