import type { LlamaModel, Token } from "node-llama-cpp";
import type { TokenLogprob } from "../engine";
import { tokenBytes } from "./token-bytes";

/** Stands for "next to impossible", as in OpenAI's API: JSON has no -Infinity. */
const LEAST_LOGPROB = -9999;

/**
 * The log probability of a token and of the `top` likeliest, in the distribution that was sampled from: after
 * temperature, top_k, top_p, min_p and grammar. `probabilities` is sorted, likeliest first.
 */
export const readLogprob = (
  model: LlamaModel,
  token: Token,
  probabilities: ReadonlyMap<Token, number>,
  top: number,
): TokenLogprob => {
  const describe = (id: Token, probability: number) => ({
    token: model.detokenize([id], true),
    logprob: Math.max(Math.log(probability), LEAST_LOGPROB),
    bytes: tokenBytes(model, id),
  });
  const likeliest = probabilities.entries().take(top);
  return {
    ...describe(token, probabilities.get(token) ?? 0),
    top: [...likeliest].map(([id, probability]) => describe(id, probability)),
  };
};
