import type { ModelCapabilities, NodeModel } from "../../gpu-node/protocol";
import { NEVER_FORWARDED } from "../../lib/forwarded-fields";

const isForwardable = (name: string): boolean => !(NEVER_FORWARDED as readonly string[]).includes(name);

/**
 * The capabilities that a node reports for a model. Nodes of earlier versions report none, so their models get the
 * features of those versions.
 */
export const capabilitiesOf = ({ kind, context_window, capabilities }: NodeModel): ModelCapabilities => {
  if (capabilities) return { ...capabilities, extra_fields: capabilities.extra_fields.filter(isForwardable) };
  const isChat = kind === "chat";
  return {
    chat: isChat,
    tools: false,
    vision: false,
    audio_input: false,
    reasoning: false,
    json_schema: isChat,
    logprobs: isChat,
    max_choices: 1,
    dimensions: kind === "embedding",
    rerank: false,
    max_output_tokens: isChat ? context_window : null,
    extra_fields: [],
  };
};

/** What a model can do on both of two nodes, because either may answer. */
export const commonCapabilities = (a: ModelCapabilities, b: ModelCapabilities): ModelCapabilities => ({
  chat: a.chat && b.chat,
  tools: a.tools && b.tools,
  vision: a.vision && b.vision,
  audio_input: a.audio_input && b.audio_input,
  reasoning: a.reasoning && b.reasoning,
  json_schema: a.json_schema && b.json_schema,
  logprobs: a.logprobs && b.logprobs,
  max_choices: Math.min(a.max_choices, b.max_choices),
  dimensions: a.dimensions && b.dimensions,
  rerank: a.rerank && b.rerank,
  max_output_tokens:
    a.max_output_tokens === null || b.max_output_tokens === null
      ? null
      : Math.min(a.max_output_tokens, b.max_output_tokens),
  extra_fields: a.extra_fields.filter((name) => b.extra_fields.includes(name)),
});
