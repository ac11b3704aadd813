import type { Config } from "../../../lib/config";
import { NEVER_FORWARDED } from "../../../lib/forwarded-fields";
import type { Log } from "../../../lib/log";
import type { NodeModel } from "../../protocol";
import {
  type EngineEvent,
  type EngineUsage,
  type FinishReason,
  findModel,
  type Generation,
  type NodeEngine,
} from "../engine";
import { invalidField } from "../fields";
import { capabilitiesOf } from "./capabilities";
import { brokenAnswer, createUpstream, type ListedModel, revisionOf, upstreamFailure } from "./upstream";

/** The parts of OpenAI's chunks and answers that the node reads. */
interface Chunk {
  choices?: { finish_reason?: string | null }[];
  usage?: {
    prompt_tokens?: number;
    completion_tokens?: number;
    prompt_tokens_details?: { cached_tokens?: number } | null;
  } | null;
  error?: unknown;
}

const PATHS = { chat: "/v1/chat/completions", completion: "/v1/completions" } as const;
/** Any OpenAI-compatible server on the machine: vLLM, SGLang, llama-server. Forwards requests and chunks unchanged. */
export const createOpenAiEngine = ({ node }: Config, log: Log): NodeEngine => {
  const { slots, contextTokens } = node;
  const upstream = createUpstream("GROUNDWIRE_NODE_ENGINE_URL", node.engineUrl, node.engineKey, slots);
  const { base, call } = upstream;
  let models: NodeModel[] = [];

  const listModels = async (signal: AbortSignal): Promise<NodeModel[]> => {
    const listed = (await (await call("/v1/models", signal)).json()) as { data?: ListedModel[] };
    if (!Array.isArray(listed.data) || listed.data.length === 0) throw brokenAnswer("lists no model");
    return listed.data.map((model) => {
      const context_window = model.max_model_len ?? model.meta?.n_ctx_train ?? contextTokens;
      return {
        id: model.id,
        kind: "chat",
        revision: revisionOf(model),
        context_window,
        capabilities: capabilitiesOf(node, model.owned_by, context_window),
      };
    });
  };

  async function* forward({ operation, body, signal, traceparent }: Generation): AsyncGenerator<EngineEvent> {
    if (body.stream !== true) {
      const document = await (await call(PATHS[operation], signal, body, traceparent)).text();
      const answer = parseChunk(document);
      yield { type: "raw", data: document };
      yield { type: "end", finishReason: finishOf(answer) ?? "stop", usage: usageOf(answer) ?? noUsage(0) };
      return;
    }
    // The server's token counts are always requested; the client gets them only if it requested them.
    const options = typeof body.stream_options === "object" ? body.stream_options : {};
    const asked = { ...body, stream_options: { ...options, include_usage: true } };
    const response = await call(PATHS[operation], signal, asked, traceparent);
    if (!response.body) throw brokenAnswer("sent no answer");
    let finishReason: FinishReason = "stop";
    let usage: EngineUsage | undefined;
    let frame: string | undefined;
    let chunks = 0;
    for await (const data of readEvents(response.body)) {
      if (data === "[DONE]") {
        yield { type: "end", finishReason, usage: usage ?? noUsage(chunks), frame };
        return;
      }
      const chunk = parseChunk(data);
      if (chunk.error !== undefined) throw upstreamFailure(500, chunk);
      finishReason = finishOf(chunk) ?? finishReason;
      usage = usageOf(chunk) ?? usage;
      if (chunk.choices?.length === 0 && chunk.usage) {
        // Serialized again, because readers recognise the frame by its bytes and servers space their JSON differently.
        frame = JSON.stringify(chunk);
      } else {
        chunks++;
        yield { type: "raw", data };
      }
    }
    throw brokenAnswer("stopped in the middle of its answer");
  }

  return {
    name: `openai ${base}`,
    synthetic: false,
    slots,
    load: () =>
      upstream.reach(async (signal) => {
        models = await listModels(signal);
      }, log),
    models: () => models,
    accept: async (generation) => {
      const forbidden = NEVER_FORWARDED.find((name) => Object.hasOwn(generation.body, name));
      if (forbidden !== undefined) {
        throw invalidField(forbidden, `${forbidden} is never passed to the server behind this node. Leave it out.`);
      }
      const { model } = generation.body;
      const found = findModel(models, typeof model === "string" ? model : undefined);
      const body = { ...generation.body, model: found.id };
      return { model: found, start: () => forward({ ...generation, body }) };
    },
    tokenize: async (name, input) => upstream.tokenize(findModel(models, name).id, input),
    close: async () => upstream.close(),
  };
};

const parseChunk = (json: string): Chunk => {
  try {
    const chunk: unknown = JSON.parse(json);
    if (typeof chunk === "object" && chunk !== null) return chunk;
  } catch (cause) {
    throw brokenAnswer("sent invalid JSON", cause);
  }
  throw brokenAnswer("sent an invalid answer");
};

const FINISH_REASONS: readonly FinishReason[] = ["stop", "length", "tool_calls", "content_filter"];

const finishOf = ({ choices }: Chunk): FinishReason | undefined => {
  const reason = choices?.[0]?.finish_reason;
  if (!reason) return undefined;
  return FINISH_REASONS.find((known) => known === reason) ?? "stop";
};

const usageOf = ({ usage }: Chunk): EngineUsage | undefined =>
  usage
    ? {
        promptTokens: usage.prompt_tokens ?? 0,
        completionTokens: usage.completion_tokens ?? 0,
        cachedTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
      }
    : undefined;

/** Estimates usage for a server that reports none: a chunk has about one token. */
const noUsage = (chunks: number): EngineUsage => ({ promptTokens: 0, completionTokens: chunks, cachedTokens: 0 });

/** Maximum length of an event or JSON document, more than any model's answer. */
const MAX_FRAME_CHARACTERS = 4 * 1_048_576;

/**
 * Yields the `data:` of each Server-Sent Event as it arrives. Other fields and comments are ignored. Throws
 * upstream_error for a frame that exceeds the maximum length and for bytes that are not UTF-8.
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  for await (const bytes of body) {
    try {
      rest += decoder.decode(bytes, { stream: true });
    } catch (cause) {
      throw brokenAnswer("sent bytes that are not UTF-8 text", cause);
    }
    const events = rest.split(/\r?\n\r?\n/);
    rest = events.pop() ?? "";
    for (const event of events) {
      const lines = event.split(/\r?\n/).filter((line) => line.startsWith("data:"));
      if (lines.length > 0) yield lines.map((line) => line.replace(/^data: ?/, "")).join("\n");
    }
    if (rest.length > MAX_FRAME_CHARACTERS) throw brokenAnswer("sent a frame that is too long");
  }
}
