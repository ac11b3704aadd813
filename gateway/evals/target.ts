import { AppError } from "../../lib/errors";
import type { Call } from "../call";
import type { ChatAnswer, ChatCompletionRequest, ChatMessage } from "../chat/contract";
import type { ChatService } from "../chat/service";
import type { NewSample } from "../datasets/contract";
import type { PromptVersion } from "../prompts/contract";
import { type PromptService, render } from "../prompts/service";
import type { Output, Target } from "./contract";

/** Default maximum length of an answer, in tokens. Without a maximum, a small model may never stop. */
const DEFAULT_MAX_TOKENS = 512;

interface TargetDeps {
  chat: Pick<ChatService, "answer">;
  prompts: Pick<PromptService, "resolve">;
}

/** A target with all defaults filled in, as a run records it. */
export interface ResolvedTarget {
  target: Target;
  prompt: PromptVersion | null;
}

/** An output with its details. A stored output has neither model nor node. */
export interface MadeOutput {
  output: Output;
  model: string | null;
  node: string | null;
}

const STORED: ResolvedTarget = { target: { kind: "stored" }, prompt: null };

/**
 * Resolves the target of a request. Without a target, an existing output is scored; otherwise the model answers. Throws
 * not_found for the prompt, not_implemented for a target that this version doesn't support, invalid_request.
 */
export const resolveTarget = async (
  { prompts }: Pick<TargetDeps, "prompts">,
  given: Target | undefined,
  hasOutput: boolean,
): Promise<ResolvedTarget> => {
  const target: Target = given ?? { kind: hasOutput ? "stored" : "chat" };
  if (target.kind === "rag") {
    throw new AppError("not_implemented", "The target kind rag is not supported in this version. Use chat.", {
      param: "target.kind",
    });
  }
  refuseForeign(target);
  if (target.kind === "stored") {
    if (hasOutput) return STORED;
    throw new AppError("invalid_request", "The target kind stored needs an output. Add sample.output.", {
      param: "sample.output",
    });
  }
  const prompt = target.prompt === undefined ? null : await prompts.resolve(target.prompt);
  return {
    target: {
      ...target,
      ...(prompt && { prompt: `${prompt.name}@${prompt.version}` }),
      max_tokens: target.max_tokens ?? DEFAULT_MAX_TOKENS,
      temperature: target.temperature ?? 0,
    },
    prompt,
  };
};

const FOR_RAG = new Set(["index", "retrieval"]);

/** Rejects a setting that would be ignored. */
const refuseForeign = ({ kind, ...settings }: Target): void => {
  const foreign = Object.keys(settings).find((name) => kind === "stored" || FOR_RAG.has(name));
  if (foreign === undefined) return;
  const message =
    kind === "stored"
      ? `The target kind stored calls no model, so it doesn't accept ${foreign}.`
      : `target.${foreign} is only for the target kind rag.`;
  throw new AppError("invalid_request", message, { param: `target.${foreign}` });
};

/**
 * Returns the sample's stored output, or the answer of the target's model. Throws what the chat service throws, and
 * invalid_request if a value that the prompt needs is missing.
 */
export const makeOutput = async (
  { chat }: TargetDeps,
  call: Call,
  { target, prompt }: ResolvedTarget,
  sample: NewSample,
  seed: number,
): Promise<MadeOutput> => {
  if (target.kind === "stored") return { output: toOutput(sample, sample.output ?? ""), model: null, node: null };
  const body: ChatCompletionRequest = {
    model: target.model,
    messages: messagesOf(sample, prompt),
    max_tokens: target.max_tokens,
    temperature: target.temperature,
    top_p: target.top_p,
    stop: target.stop,
    seed,
  };
  const answer = await chat.answer(call, body);
  return { output: toOutput(sample, answer.message.content, answer), model: answer.model, node: answer.node };
};

const toOutput = (sample: NewSample, text: string, answer?: ChatAnswer): Output => ({
  text,
  contexts: sample.contexts ?? [],
  citations: [],
  finish_reason: answer?.finish_reason ?? null,
  usage: answer?.usage ?? null,
  latency: answer?.latency ?? null,
  cache: answer?.cache ?? null,
  model_revision: answer?.model_revision ?? null,
  request_id: answer?.request_id ?? null,
});

/** Without a prompt, the input is sent as it is. Contexts are only sent if the prompt has a variable for them. */
const messagesOf = (sample: NewSample, prompt: PromptVersion | null): ChatMessage[] => {
  if (prompt) return render(prompt.messages, valuesOf(sample));
  return typeof sample.input === "string" ? [{ role: "user", content: sample.input }] : [...sample.input];
};

/** The variables that a prompt may use. References are excluded, because they are the answer. */
const valuesOf = (sample: NewSample): Record<string, string> => {
  const contexts = sample.contexts ?? [];
  const own = Object.entries(sample.metadata ?? {}).map(([name, value]) => [`metadata.${name}`, String(value ?? "")]);
  return {
    input: questionOf(sample.input) ?? "",
    contexts: contexts.map((text, index) => `[${index + 1}] ${text}`).join("\n\n"),
    context: contexts[0] ?? "",
    ...Object.fromEntries(own),
  };
};

/** The question of a sample as a string; for a chat, the user's last message. */
export const questionOf = (input: NewSample["input"]): string | null => {
  if (typeof input === "string") return input;
  const last = input.findLast(({ role }) => role === "user")?.content;
  if (last === undefined || last === null) return null;
  return typeof last === "string" ? last : last.map(({ text }) => text).join("\n");
};
