import { AppError, toAppError } from "../../lib/errors";
import type { Call } from "../call";
import type { WholeAnswer } from "./answer";
import type { CompletionRequest } from "./contract";
import { promptsOf } from "./request";
import type { ChatService } from "./service";
import type { Completion } from "./wire";

/**
 * Completes one or several prompts. Each prompt is a separate generation, which may come from the cache. The answer
 * contains their choices in the order of the prompts, and the sum of their usage. If one fails, the request fails and
 * the others are cancelled. Throws what `ChatService.complete` throws.
 */
export const completeEach = async (
  chat: Pick<ChatService, "complete">,
  call: Call,
  body: CompletionRequest,
): Promise<WholeAnswer> => {
  const prompts = promptsOf(body.prompt);
  if (prompts.length === 1) return chat.complete(call, "completion", body);
  const others = new AbortController();
  const signal = AbortSignal.any([call.signal, others.signal]);
  try {
    const answers = prompts.map((prompt, index) =>
      chat.complete({ ...call, signal }, "completion", { ...body, prompt }).catch((thrown: unknown) => {
        const error = toAppError(thrown);
        const { kind, message, detail } = error;
        throw detail.param === "prompt" ? new AppError(kind, message, { ...detail, param: `prompt.${index}` }) : error;
      }),
    );
    return combine(await Promise.all(answers), performance.now() - call.receivedAt);
  } finally {
    others.abort();
  }
};

const combine = (answers: WholeAnswer[], totalMs: number): WholeAnswer => {
  const completions = answers.map(({ json }): Completion => JSON.parse(Buffer.from(json).toString()));
  const [first] = completions;
  const slowest = answers.reduce((a, b) => (b.ttftMs > a.ttftMs ? b : a));
  const sum = (field: "prompt_tokens" | "completion_tokens" | "total_tokens") =>
    completions.reduce((tokens, { usage }) => tokens + (usage?.[field] ?? 0), 0);
  return {
    ...slowest,
    // A hit only if every answer was a hit.
    cache: (answers.find(({ cache }) => cache.status !== "hit") ?? slowest).cache,
    retries: answers.reduce((retries, answer) => retries + answer.retries, 0),
    totalMs,
    json: JSON.stringify({
      ...first,
      // As in OpenAI's API, the choices of the first prompt come first.
      choices: completions.flatMap(({ choices }) => choices).map((choice, index) => ({ ...choice, index })),
      usage: {
        prompt_tokens: sum("prompt_tokens"),
        completion_tokens: sum("completion_tokens"),
        total_tokens: sum("total_tokens"),
      },
      timings: undefined,
    }),
  };
};
