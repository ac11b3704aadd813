import type { Asking } from "../call";
import { estimateTokens, type Ledger } from "../limits/ledger";
import type { ModelUse } from "../limits/model-use";
import type { ResolvedModel } from "../models/registry";
import type { EngineReply } from "../ports/engine";
import type { Usage } from "./contract";
import { type GenerationRequest, maxTokensOf, mediaOf } from "./request";
import { join, metered, parseWhole } from "./wire";

interface Generation {
  body: GenerationRequest;
  /** The body for the node. */
  json: string;
  isStream: boolean;
  signal: AbortSignal;
}

/**
 * Starts a generation once the limits of the caller's key have accepted it. Its use is settled exactly once: when the
 * answer ends, fails or is aborted, with what was used until then, or with nothing if no node accepted it. Without a
 * limit that counts it, this is just `request()`.
 */
export const charged = (
  ledger: Pick<Ledger, "useModel">,
  call: Asking,
  model: ResolvedModel,
  generation: Generation,
  request: () => Promise<EngineReply>,
): Promise<EngineReply> => {
  const accepted = ledger.useModel(call, model, () => ({
    isEmbedding: false,
    promptTokens: estimateTokens(generation.json, mediaOf(generation.body)),
    answerTokens: maxTokensOf(generation.body),
    choices: generation.body.n,
  }));
  return accepted ? settled(accepted, generation, request) : request();
};

const settled = async (
  accepted: Promise<ModelUse>,
  { isStream, signal }: Generation,
  request: () => Promise<EngineReply>,
): Promise<EngineReply> => {
  const use = await accepted;
  const startedAt = performance.now();
  const reply = await request().catch((error) => {
    use.cancel();
    throw error;
  });
  const settle = (usage?: Usage | null): void =>
    use.settle({
      promptTokens: usage?.prompt_tokens ?? 0,
      answerTokens: usage?.completion_tokens ?? 0,
      heldMs: Math.max(0, performance.now() - startedAt - reply.queueMs),
    });
  const body = isStream ? metered(reply.body, true, settle) : metering(reply.body, settle);
  // A caller that leaves before the first read never runs the generator.
  let isRead = false;
  if (signal.aborted) settle();
  else signal.addEventListener("abort", () => !isRead && settle(), { once: true });
  return {
    ...reply,
    body: {
      [Symbol.asyncIterator]() {
        isRead = true;
        return body;
      },
    },
  };
};

/** Passes on a complete answer, and reports its usage at its end. */
async function* metering(
  body: AsyncIterable<Uint8Array>,
  report: (usage?: Usage | null) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of body) {
      pieces.push(piece);
      yield piece;
    }
    report(parseWhole(join(pieces)).usage);
  } finally {
    report();
  }
}
