/**
 * Request fields that are never passed to a server behind a node, whatever its settings say. They replace the model's
 * template, carry prompts that no limit applies to, run code, load files, or make the server connect to other hosts.
 */
export const NEVER_FORWARDED = [
  "chat_template",
  "prompt_embeds",
  "input_ids",
  "logits_processors",
  "custom_logit_processor",
  "lora_path",
  "lora_request",
  "kv_transfer_params",
  "ec_transfer_params",
  "bootstrap_host",
  "bootstrap_port",
  "bootstrap_room",
] as const;
