import type { Model } from "../../gateway/models/contract";

type ModelCapabilities = Model["capabilities"];

/** Capabilities beyond answering in text, in words for a list. */
const WORDS = {
  tools: "tools",
  vision: "images",
  audio_input: "audio",
  reasoning: "reasoning",
  json_schema: "JSON schema",
  rerank: "reranking",
} as const satisfies Partial<Record<keyof ModelCapabilities, string>>;

/** "tools, images, reasoning"; empty for a model that only answers in text or whose capabilities are unknown. */
export const capabilityText = (can: ModelCapabilities | undefined): string =>
  Object.entries(WORDS)
    .flatMap(([name, word]) => (can?.[name as keyof typeof WORDS] ? [word] : []))
    .join(", ");

interface ModelChoice {
  id: string;
  isDefault: boolean;
  capabilities: ModelCapabilities;
}

/** Options of a field that chooses a model, such as "small (default): tools, JSON schema". */
export const modelOptions = (models: readonly ModelChoice[]): { value: string; label: string }[] =>
  models.map(({ id, isDefault, capabilities }) => {
    const text = capabilityText(capabilities);
    return { value: id, label: `${id}${isDefault ? " (default)" : ""}${text && `: ${text}`}` };
  });
