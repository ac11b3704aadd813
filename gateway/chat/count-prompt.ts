import { toAppError } from "../../lib/errors";
import { type Call, callerOf } from "../call";
import type { Engine } from "../ports/engine";
import type { ChatCompletionRequest } from "./contract";
import type { ChatMessage } from "./message";
import { collect, join } from "./wire";

const TIMEOUT_MS = 5000;
const decoder = new TextDecoder();

/**
 * Counts the prompt tokens of messages and tools. Returns Infinity if they leave no room for an answer, and undefined
 * if the engine can't count.
 */
export type CountPrompt = (
  call: Call,
  model: string,
  messages: ChatMessage[],
  tools?: ChatCompletionRequest["tools"],
) => Promise<number | undefined>;

export const promptCounter =
  (engine: Pick<Engine, "request">): CountPrompt =>
  async (call, model, messages, tools) => {
    try {
      const reply = await engine.request({
        route: "/tokenize",
        model,
        body: JSON.stringify({ model, messages, tools }),
        stream: false,
        ...callerOf(call),
        deadlineMs: TIMEOUT_MS,
        signal: call.signal,
      });
      const { count } = JSON.parse(decoder.decode(join(await collect(reply.body))));
      // A server that expects a different request format returns no count.
      return Number.isInteger(count) && count > 0 ? count : undefined;
    } catch (thrown) {
      return toAppError(thrown).kind === "context_length_exceeded" ? Number.POSITIVE_INFINITY : undefined;
    }
  };
