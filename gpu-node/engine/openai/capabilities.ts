import type { Config } from "../../../lib/config";
import { NEVER_FORWARDED } from "../../../lib/forwarded-fields";
import type { ModelCapabilities } from "../../protocol";
import { chatCapabilities } from "../capabilities";

type ServerType = Exclude<Config["node"]["engineServer"], "auto">;

/** Server types by `owned_by` in the server's list of models. */
const SERVER_BY_OWNER: Readonly<Record<string, ServerType>> = {
  vllm: "vllm",
  sglang: "sglang",
  llamacpp: "llama-server",
};

/**
 * What each type of server can do with any model. Images, audio and reasoning depend on the model, so operators switch
 * them on. A field is listed only if the server's current version reads it: some servers ignore fields that they don't
 * know.
 */
const SERVERS: Readonly<Record<ServerType, Partial<ModelCapabilities>>> = {
  // vllm/entrypoints/openai/chat_completion/protocol.py, vLLM 0.12 and later.
  vllm: {
    tools: true,
    json_schema: true,
    logprobs: true,
    max_choices: 8,
    extra_fields: [
      "add_generation_prompt",
      "allowed_token_ids",
      "bad_words",
      "chat_template_kwargs",
      "continue_final_message",
      "ignore_eos",
      "include_reasoning",
      "include_stop_str_in_output",
      "logit_bias",
      "min_tokens",
      "skip_special_tokens",
      "spaces_between_special_tokens",
      "stop_token_ids",
      "structured_outputs",
      "thinking_token_budget",
    ],
  },
  // python/sglang/srt/entrypoints/openai/protocol.py
  sglang: {
    tools: true,
    json_schema: true,
    logprobs: true,
    max_choices: 8,
    extra_fields: [
      "chat_template_kwargs",
      "continue_final_message",
      "ebnf",
      "ignore_eos",
      "logit_bias",
      "min_tokens",
      "no_stop_trim",
      "regex",
      "separate_reasoning",
      "skip_special_tokens",
      "stop_token_ids",
      "stream_reasoning",
    ],
  },
  // tools/server/README.md of llama.cpp. Older versions ignore `n`.
  "llama-server": {
    tools: true,
    json_schema: true,
    logprobs: true,
    extra_fields: [
      "cache_prompt",
      "chat_template_kwargs",
      "dry_allowed_length",
      "dry_base",
      "dry_multiplier",
      "dry_penalty_last_n",
      "dynatemp_exponent",
      "dynatemp_range",
      "grammar",
      "ignore_eos",
      "logit_bias",
      "mirostat",
      "mirostat_eta",
      "mirostat_tau",
      "reasoning_format",
      "repeat_last_n",
      "top_n_sigma",
      "typical_p",
      "xtc_probability",
      "xtc_threshold",
    ],
  },
  other: { json_schema: true, logprobs: true },
};

type EngineSettings = Pick<Config["node"], "engineServer" | "engineCapabilities" | "engineFields" | "engineMaxChoices">;

/** Splits names into those to switch on and those to switch off (`-name`). */
export const switchesOf = (names: readonly string[]): { on: string[]; off: string[] } => ({
  on: names.filter((name) => !name.startsWith("-")),
  off: names.filter((name) => name.startsWith("-")).map((name) => name.slice(1)),
});

/** The type of the server that lists a model with this `owned_by`, unless a setting names it. */
const serverOf = ({ engineServer }: EngineSettings, owner: unknown): ServerType => {
  if (engineServer !== "auto") return engineServer;
  return (typeof owner === "string" && Object.hasOwn(SERVER_BY_OWNER, owner) && SERVER_BY_OWNER[owner]) || "other";
};

/**
 * The capabilities of a chat model on a server behind the node: those of the server's type, changed by the settings.
 * `owner` is the model's `owned_by` in the server's list.
 */
export const capabilitiesOf = (
  settings: EngineSettings,
  owner: unknown,
  maxOutputTokens: number,
): ModelCapabilities => {
  const known = SERVERS[serverOf(settings, owner)];
  const fields = switchesOf(settings.engineFields);
  const extra = new Set([...(known.extra_fields ?? []), ...fields.on]);
  for (const name of [...fields.off, ...NEVER_FORWARDED]) extra.delete(name);
  const { on, off } = switchesOf(settings.engineCapabilities);
  return chatCapabilities(maxOutputTokens, {
    ...known,
    ...Object.fromEntries([...on.map((name) => [name, true]), ...off.map((name) => [name, false])]),
    max_choices: settings.engineMaxChoices ?? known.max_choices ?? 1,
    extra_fields: [...extra].sort(),
  });
};
