import type { SequenceEvaluateOptions, Token } from "node-llama-cpp";
import type { SamplingDefaults } from "../../models/catalogue";
import type { SamplingParameters } from "../parameters";

/** All sampling parameters, with defaults applied. */
export type Sampling = Required<SamplingParameters>;

/** The request's parameters, then the catalogue's recommendations, then OpenAI's defaults. */
export const samplingOf = (asked: SamplingParameters, recommended: SamplingDefaults): Sampling => ({
  temperature: 1,
  top_p: 1,
  top_k: 0, // all tokens
  min_p: 0,
  presence_penalty: 0,
  frequency_penalty: 0,
  repetition_penalty: 1,
  seed: crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
  ...recommended,
  ...asked,
});

/**
 * The options for node-llama-cpp. Penalties count the tokens of the answer, `generated`, as in OpenAI's formula; there
 * are at most `maxTokens` of them.
 */
export const evaluateOptions = (
  { temperature, top_p, top_k, min_p, presence_penalty, frequency_penalty, repetition_penalty, seed }: Sampling,
  generated: Token[],
  maxTokens: number,
): SequenceEvaluateOptions => ({
  temperature,
  topP: top_p,
  topK: top_k,
  minP: min_p,
  // The engine uses 32 bits, and treats the highest value as "choose a random seed".
  seed: Math.min(Number(BigInt.asUintN(32, BigInt(seed))), 0xffff_fffe),
  ...((presence_penalty !== 0 || frequency_penalty !== 0 || repetition_penalty !== 1) && {
    repeatPenalty: {
      penalty: repetition_penalty,
      presencePenalty: presence_penalty,
      frequencyPenalty: frequency_penalty,
      punishTokens: () => generated,
      maxPunishTokens: maxTokens,
    },
  }),
});
