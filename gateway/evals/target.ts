import { AppError } from "../../lib/errors";
import type { Call } from "../call";
import type { ChatAnswer, ChatCompletionRequest } from "../chat/contract";
import type { TextMessage } from "../chat/message";
import type { ChatService } from "../chat/service";
import type { NewSample } from "../datasets/contract";
import type { Principal } from "../principal";
import type { PromptVersion } from "../prompts/contract";
import { type PromptService, render } from "../prompts/service";
import type { RetrievalOverrides, RetrievalSettings } from "../retrieval-contract";
import type { Output, RunPins, Target } from "./contract";

/** Default maximum length of an answer, in tokens. Without a maximum, a small model may never stop. */
const DEFAULT_MAX_TOKENS = 512;

/** A question to an index. */
export interface IndexQuestion {
  index: string;
  question: string;
  history: { role: "user" | "assistant"; content: string }[];
  retrieval?: RetrievalOverrides;
  model?: string;
  prompt?: string;
  max_tokens?: number;
  temperature?: number;
  seed: number;
}

/** An answer from an index, and the version and revision that were searched. */
export interface IndexAnswer {
  output: Output;
  model: string | null;
  index: { version: number; revision: number };
}

/** An index, the version that is searched, and its search settings. */
export interface TargetIndex {
  id: string;
  name: string;
  version: number;
  revision: number;
  embeddingModel: string;
  embeddingModelRevision: string;
  retrieval: RetrievalSettings;
}

/** Answers questions from indexes. */
export interface RagTarget {
  /** Throws not_found if the index doesn't exist or the key may not use it. */
  open(principal: Principal, index: string): Promise<TargetIndex>;
  answer(call: Call, question: IndexQuestion): Promise<IndexAnswer>;
}

interface TargetDeps {
  chat: Pick<ChatService, "answer">;
  prompts: Pick<PromptService, "resolve">;
  rag: RagTarget;
}

/** A target with all defaults filled in, as a run records it. */
export interface ResolvedTarget {
  target: Target;
  prompt: PromptVersion | null;
  /** The index as it was when the target was resolved; null for other targets. */
  index: TargetIndex | null;
}

/** An output with its details. A stored output has neither model nor node. */
export interface MadeOutput {
  output: Output;
  model: string | null;
  node: string | null;
  /** The index that was searched; null for other targets. */
  index: IndexAnswer["index"] | null;
}

const STORED: ResolvedTarget = { target: { kind: "stored" }, prompt: null, index: null };

/**
 * Resolves the target of a request. Without a target, an existing output is scored; otherwise the model answers. Throws
 * not_found for the prompt and the index, and invalid_request.
 */
export const resolveTarget = async (
  { prompts, rag }: Pick<TargetDeps, "prompts" | "rag">,
  principal: Principal,
  given: Target | undefined,
  hasOutput: boolean,
): Promise<ResolvedTarget> => {
  const target: Target = given ?? { kind: hasOutput ? "stored" : "chat" };
  refuseForeign(target);
  if (target.kind === "stored") {
    if (hasOutput) return STORED;
    throw new AppError("invalid_request", "A stored target needs an output. Add sample.output.", {
      param: "sample.output",
    });
  }
  const index = target.kind === "rag" ? await openIndex(rag, principal, target) : null;
  const prompt = target.prompt === undefined ? null : await prompts.resolve(target.prompt);
  return {
    target: {
      ...target,
      ...(index && { index: index.id, retrieval: { ...index.retrieval, ...target.retrieval } }),
      ...(prompt && { prompt: `${prompt.name}@${prompt.version}` }),
      max_tokens: target.max_tokens ?? DEFAULT_MAX_TOKENS,
      temperature: target.temperature ?? 0,
    },
    prompt,
    index,
  };
};

const openIndex = async (rag: RagTarget, principal: Principal, { index }: Target): Promise<TargetIndex> => {
  if (index === undefined) {
    throw new AppError("invalid_request", "A rag target needs an index. Add target.index.", {
      param: "target.index",
    });
  }
  return rag.open(principal, index);
};

/**
 * Throws conflict if the index has changed since the run started, so that all figures come from one revision of the
 * index.
 */
export const assertUnchanged = (
  { index_version: version, index_revision: revision }: Pick<RunPins, "index_version" | "index_revision">,
  { name, ...index }: Pick<TargetIndex, "name" | "version" | "revision">,
): void => {
  if (index.version === version && index.revision === revision) return;
  const change = `from revision ${revision} (version ${version}) to ${index.revision} (version ${index.version})`;
  throw new AppError(
    "conflict",
    `The index "${name}" has changed ${change} since the run started. Start a new run, so that all its figures come from one revision. The results so far are kept.`,
    { param: "index" },
  );
};

/** Settings that only one kind of target has. */
const KIND_OF: Readonly<Record<string, Target["kind"]>> = {
  index: "rag",
  retrieval: "rag",
  top_p: "chat",
  stop: "chat",
};

/** Rejects a setting that would be ignored. */
const refuseForeign = ({ kind, ...settings }: Target): void => {
  const foreign = Object.keys(settings).find((name) => kind === "stored" || (KIND_OF[name] ?? kind) !== kind);
  if (foreign === undefined) return;
  const message =
    kind === "stored"
      ? `A stored target calls no model, so it doesn't accept ${foreign}.`
      : `target.${foreign} applies only to ${KIND_OF[foreign]} targets.`;
  throw new AppError("invalid_request", message, { param: `target.${foreign}` });
};

/**
 * Returns the sample's stored output, or the answer of the target's model or index. Throws what the chat and RAG
 * services throw, and invalid_request if a value that the prompt needs is missing.
 */
export const makeOutput = async (
  { chat, rag }: Pick<TargetDeps, "chat" | "rag">,
  call: Call,
  { target, prompt }: ResolvedTarget,
  sample: NewSample,
  seed: number,
): Promise<MadeOutput> => {
  if (target.kind === "stored") {
    return { output: toOutput(sample, sample.output ?? ""), model: null, node: null, index: null };
  }
  if (target.kind === "rag") {
    return { ...(await rag.answer(call, questionTo(target, sample, seed))), node: null };
  }
  const body: ChatCompletionRequest = {
    model: target.model,
    messages: messagesOf(sample, prompt),
    max_tokens: target.max_tokens,
    temperature: target.temperature,
    top_p: target.top_p,
    stop: target.stop,
    seed,
    ...(sample.tools?.length && { tools: sample.tools, tool_choice: sample.tool_choice ?? undefined }),
  };
  const answer = await chat.answer(call, body);
  const { content, reasoning, tool_calls } = answer.message;
  const output = {
    ...toOutput(sample, content, answer),
    ...(reasoning !== undefined && { reasoning }),
    // This field decides whether calls are compared, even if the answer has none.
    ...((tool_calls ?? sample.expected_tool_calls) && { tool_calls: tool_calls ?? [] }),
  };
  return { output, model: answer.model, node: answer.node, index: null };
};

/** The sample's question, with the turns before it. Throws invalid_request for a chat without a question. */
const questionTo = (target: Target, { input }: NewSample, seed: number): IndexQuestion => {
  const question = questionOf(input);
  if (question === null || question.trim() === "") {
    throw new AppError("invalid_request", "The sample has no question to search for.", { param: "sample.input" });
  }
  const { index = "", retrieval, model, prompt, max_tokens, temperature } = target;
  const last = typeof input === "string" ? -1 : input.findLastIndex(({ role }) => role === "user");
  const turns = typeof input === "string" ? [] : input.slice(0, last);
  const history = turns.flatMap(({ role, content }) =>
    role === "user" || role === "assistant" ? [{ role, content: textOf(content) }] : [],
  );
  return { index, question, history, retrieval, model, prompt, max_tokens, temperature, seed };
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
const messagesOf = (sample: NewSample, prompt: PromptVersion | null): TextMessage[] => {
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
  return last === undefined || last === null ? null : textOf(last);
};

const textOf = (content: TextMessage["content"]): string =>
  typeof content === "string" ? content : (content ?? []).map(({ text }) => text).join("\n");
