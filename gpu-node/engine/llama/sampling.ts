import type { SequenceEvaluateOptions, Token } from "node-llama-cpp";
import type { SamplingDefaults } from "../../models/catalogue";
import type { NodeModel } from "../../protocol";
import type { SamplingParameters } from "../parameters";

/** How the next token is chosen, with every parameter set. */
export interface Sampling {
  temperature: number;
  topP: number;
  /** 0: all tokens. */
  topK: number;
  minP: number;
  /** 32 bits, as the engine takes it. */
  seed: number;
  presencePenalty: number;
  frequencyPenalty: number;
  /** Above 1, lowers the logits of tokens that the answer already has; 1 changes nothing. */
  repetitionPenalty: number;
}

/** The request's parameters, then the catalogue's recommendations, then OpenAI's defaults. */
export const samplingOf = (asked: SamplingParameters, recommended: SamplingDefaults): Sampling => ({
  temperature: asked.temperature ?? recommended.temperature ?? 1,
  topP: asked.topP ?? recommended.topP ?? 1,
  topK: asked.topK ?? recommended.topK ?? 0,
  minP: asked.minP ?? 0,
  seed: engineSeed(asked.seed ?? crypto.getRandomValues(new Uint32Array(1))[0] ?? 0),
  presencePenalty: asked.presencePenalty ?? 0,
  frequencyPenalty: asked.frequencyPenalty ?? 0,
  repetitionPenalty: asked.repetitionPenalty ?? recommended.repetitionPenalty ?? 1,
});

/** The sampling of a request that sets none, as the node reports it. */
export const defaultsOf = ({ temperature, topP, topK, repetitionPenalty }: Sampling): NodeModel["sampling"] => ({
  temperature,
  top_p: topP,
  top_k: topK,
  repetition_penalty: repetitionPenalty,
});

/** The engine takes 32 bits, and reads the highest value as "choose one". */
const engineSeed = (seed: number): number => Math.min(Number(BigInt.asUintN(32, BigInt(seed))), 0xffff_fffe);

/**
 * The options for node-llama-cpp. Penalties count the tokens of the answer, `generated`, as OpenAI's formula says;
 * at most `maxTokens` of them come.
 */
export const evaluateOptions = (
  { presencePenalty, frequencyPenalty, repetitionPenalty, ...sampling }: Sampling,
  generated: Token[],
  maxTokens: number,
): SequenceEvaluateOptions => {
  if (presencePenalty === 0 && frequencyPenalty === 0 && repetitionPenalty === 1) return sampling;
  const repeatPenalty = { penalty: repetitionPenalty, presencePenalty, frequencyPenalty };
  return {
    ...sampling,
    repeatPenalty: { ...repeatPenalty, punishTokens: () => generated, maxPunishTokens: maxTokens },
  };
};
