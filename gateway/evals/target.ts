import { AppError } from "../../lib/errors";
import type { Call } from "../call";
import type { ChatAnswer, ChatCompletionRequest, ChatMessage } from "../chat/contract";
import type { ChatService } from "../chat/service";
import type { NewSample } from "../datasets/contract";
import type { PromptVersion } from "../prompts/contract";
import type { PromptService } from "../prompts/service";
import { render } from "../prompts/template";
import type { Output, Target } from "./contract";

/** Tokens of an answer where the target names no number: a small model may go on for ever. */
const DEFAULT_MAX_TOKENS = 512;

interface TargetDeps {
  chat: Pick<ChatService, "answer">;
  prompts: Pick<PromptService, "resolve">;
}

/** A target with everything that the request left to us written out, so that a run can pin it. */
export interface ResolvedTarget {
  target: Target;
  prompt: PromptVersion | null;
}

/** An output and what is known of its making. */
export interface GeneratedOutput {
  output: Output;
  model: string;
  node: string | null;
}

const STORED: ResolvedTarget = { target: { kind: "stored" }, prompt: null };

/**
 * What a request asks for: without a target an output that is there is scored, else the model answers. Throws not_found
 * for the prompt, not_implemented for a target that this version can't ask, invalid_request.
 */
export const resolveTarget = async (
  { prompts }: Pick<TargetDeps, "prompts">,
  given: Target | undefined,
  hasOutput: boolean,
): Promise<ResolvedTarget> => {
  const target: Target = given ?? { kind: hasOutput ? "stored" : "chat" };
  if (target.kind === "rag") {
    throw new AppError("not_implemented", "Targets of the kind rag come with retrieval. Use kind chat.", {
      param: "target.kind",
    });
  }
  refuseForeign(target);
  if (target.kind === "stored") {
    if (hasOutput) return STORED;
    throw new AppError("invalid_request", "A target of the kind stored needs an output: give sample.output.", {
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

/** A setting that would be ignored is refused. */
const refuseForeign = ({ kind, ...settings }: Target): void => {
  const foreign = Object.keys(settings).find((name) => kind === "stored" || FOR_RAG.has(name));
  if (foreign === undefined) return;
  const message =
    kind === "stored"
      ? `A target of the kind stored asks no model, so it takes no ${foreign}.`
      : `target.${foreign} is for targets of the kind rag.`;
  throw new AppError("invalid_request", message, { param: `target.${foreign}` });
};

/** Asks the target's model. Throws what the chat service throws, and invalid_request for a prompt without its values. */
export const generateOutput = async (
  { chat }: TargetDeps,
  call: Call,
  { target, prompt }: ResolvedTarget,
  sample: NewSample,
  seed: number,
): Promise<GeneratedOutput> => {
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
  return { output: outputOf(answer, sample), model: answer.model, node: answer.node };
};

const outputOf = (answer: ChatAnswer, sample: NewSample): Output => ({
  text: answer.message.content,
  contexts: sample.contexts ?? [],
  citations: [],
  finish_reason: answer.finish_reason,
  usage: answer.usage,
  latency: answer.latency,
  cache: answer.cache,
  model_revision: answer.model_revision,
  request_id: answer.request_id,
});

/** An output that was there before: nothing is known of its making. */
export const storedOutput = (text: string, sample: NewSample): Output => ({
  text,
  contexts: sample.contexts ?? [],
  citations: [],
  finish_reason: null,
  usage: null,
  latency: null,
  cache: null,
  model_revision: null,
  request_id: null,
});

/** Without a prompt the input goes as it is; contexts go into a prompt that asks for them. */
const messagesOf = (sample: NewSample, prompt: PromptVersion | null): ChatMessage[] => {
  if (prompt) return render(prompt.messages, valuesOf(sample));
  return typeof sample.input === "string" ? [{ role: "user", content: sample.input }] : [...sample.input];
};

/** What a prompt may name. References are none of it: they would be the answer. */
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

/** The question of a sample as one text: of a chat, what its user said last. */
export const questionOf = (input: NewSample["input"]): string | null => {
  if (typeof input === "string") return input;
  const last = input.findLast(({ role }) => role === "user")?.content;
  if (last === undefined || last === null) return null;
  return typeof last === "string" ? last : last.map(({ text }) => text).join("\n");
};
