import { createHash } from "node:crypto";
import { Template } from "@huggingface/jinja";
import type { ChatTurn } from "../../messages";
import type { ToolFunction } from "../../tools";
import { withoutReasoning, writesReasoning } from "../reasoning";
import { CALL_FORMATS, type CallFormat, isBare, TAGGED } from "./call-format";
import { CallParser } from "./call-parser";
import { asText } from "./tool-text";

/** The variables of a chat template, in the format of Hugging Face's `apply_chat_template`. */
export interface TemplateInput {
  messages: {
    role: string;
    content: string;
    reasoning_content?: string;
    name?: string;
    tool_call_id?: string;
    tool_calls?: { id: string; type: "function"; function: { name: string; arguments: unknown } }[];
  }[];
  tools?: { type: "function"; function: object }[];
  /** Whether the model should reason. */
  enable_thinking?: boolean;
}

/** What a template that knows functions expects. */
interface ToolSupport {
  format: CallFormat;
  /** Whether it expects the arguments of earlier calls as an object rather than as JSON text. */
  readsObjects: boolean;
  /** Whether an answer may call several functions. Llama's templates reject chats with such answers. */
  isParallel: boolean;
}

/** A model's chat template, which writes a chat as one text. `render` throws what the template throws. */
export type ChatTemplate = ReturnType<typeof createChatTemplate>;

/**
 * `toolSource` is the separate template that some models have for chats with functions. `texts` contains variables for
 * every template, such as `bos_token`.
 */
export const createChatTemplate = (source: string, toolSource?: string, texts: Record<string, string> = {}) => {
  const plain = new Template(source);
  const forTools =
    toolSource !== undefined && succeeds(() => new Template(toolSource)) ? new Template(toolSource) : plain;
  const support = findSupport((input) => forTools.render({ ...texts, ...input }));
  const callFormat = support?.format ?? TAGGED;
  const hasSystem = canRenderSystem((input) => plain.render({ ...texts, ...input }));

  const render = (input: TemplateInput): string => {
    const hasTools = input.tools || input.messages.some(({ role, tool_calls }) => role === "tool" || tool_calls);
    const text = (hasTools ? forTools : plain).render({ ...texts, ...input, add_generation_prompt: true });
    return input.enable_thinking === false ? withoutReasoning(text) : text;
  };

  return {
    /** How the model writes calls. */
    callFormat,
    /** Whether answers contain reasoning. */
    reasons: writesReasoning(source),
    isParallel: support?.isParallel ?? true,
    readsObjects: support?.readsObjects ?? false,
    /**
     * The variables for a chat. If the template doesn't know functions, or rejects this chat, functions, calls and
     * results become part of the messages' texts.
     */
    inputOf(turns: ChatTurn[], tools?: ToolFunction[]): TemplateInput {
      if (!tools && !turns.some(({ role, calls }) => role === "tool" || calls)) return toInput(turns, undefined, false);
      const input = toInput(turns, tools, support?.readsObjects ?? false);
      if (support && succeeds(() => render(input))) return input;
      return toInput(asText(turns, tools, { format: callFormat, hasSystem }), undefined, false);
    },
    render,
  };
};

const succeeds = (work: () => unknown): boolean => {
  try {
    work();
    return true;
  } catch {
    return false;
  }
};

const NO_PARAMETERS = { type: "object", properties: {} };

const toInput = (turns: ChatTurn[], tools: ToolFunction[] | undefined, readsObjects: boolean): TemplateInput => {
  const names = new Map<string, string>();
  const messages = turns.map(({ role, content, reasoning, calls, callId }): TemplateInput["messages"][number] => {
    if (callId !== undefined) return { role, content, name: names.get(callId) ?? "", tool_call_id: shortId(callId) };
    const message = { role, content, ...(reasoning !== undefined && { reasoning_content: reasoning }) };
    if (!calls) return message;
    const tool_calls = calls.map(({ id, name, arguments: text }) => {
      names.set(id, name);
      const given = readsObjects ? objectOf(text) : text;
      return { id: shortId(id), type: "function" as const, function: { name, arguments: given } };
    });
    return { ...message, tool_calls };
  });
  if (!tools) return { messages };
  const described = tools.map(({ name, description = "", parameters = NO_PARAMETERS }) => ({
    type: "function" as const,
    function: { name, description, parameters },
  }));
  return { messages, tools: described };
};

/** Mistral's templates require ids of 9 letters and digits. */
const shortId = (id: string): string => createHash("sha256").update(id).digest("hex").slice(0, 9);

/** The parsed arguments, or the text if it is invalid JSON. */
const objectOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

type Render = (input: TemplateInput & { add_generation_prompt: boolean }) => string;

const QUESTION: ChatTurn = { role: "user", content: "probe question" };
const TOOL: ToolFunction = { name: "probe_call", description: "probe", parameters: NO_PARAMETERS };
const ARGUMENTS = '{"probe_key": "probe value"}';

/**
 * Finds out what the template expects by rendering a call. Undefined if it ignores functions, or writes calls in a
 * format that `CallParser` can't read.
 */
const findSupport = (render: Render): ToolSupport | undefined => {
  const write = (turns: ChatTurn[], readsObjects: boolean, add_generation_prompt: boolean): string => {
    try {
      return render({ ...toInput(turns, [TOOL], readsObjects), add_generation_prompt });
    } catch {
      return "";
    }
  };
  for (const readsObjects of [true, false]) {
    const question = write([QUESTION], readsObjects, true);
    if (!question.includes(TOOL.name)) return undefined;
    const answerWith = (calls: number): string => {
      const ids = Array.from({ length: calls }, (_, index) => ({
        id: `${index}`,
        name: TOOL.name,
        arguments: ARGUMENTS,
      }));
      const whole = write([QUESTION, { role: "assistant", content: "", calls: ids }], readsObjects, false);
      return whole.slice(sharedLines(question, whole));
    };
    const answer = answerWith(1);
    const known = CALL_FORMATS.find(({ open }) => answer.includes(open)) ?? CALL_FORMATS.find(isBare);
    if (!known || countCalls(answer, known) !== 1) continue;
    const member = answer.includes('"parameters"') ? "parameters" : "arguments";
    return { format: { ...known, member }, readsObjects, isParallel: countCalls(answerWith(2), known) === 2 };
  }
  return undefined;
};

/** Length of the common start of two texts, in characters. If they differ inside a line, it ends before that line. */
const sharedLines = (prefix: string, whole: string): number => {
  if (whole.startsWith(prefix)) return prefix.length;
  let length = 0;
  while (length < whole.length && prefix[length] === whole[length]) length++;
  return whole.lastIndexOf("\n", length) + 1;
};

/** The number of calls in an answer, or 0 if any of them isn't the example. */
const countCalls = (answer: string, format: CallFormat): number => {
  const parser = new CallParser(format, new Set([TOOL.name]));
  const { calls } = parser.push(answer);
  const areRight = calls.every(({ arguments: text }) => Bun.deepEquals(objectOf(text), objectOf(ARGUMENTS)));
  return areRight && parser.hasCalled ? calls.length : 0;
};

const canRenderSystem = (render: Render): boolean => {
  const turns: ChatTurn[] = [{ role: "system", content: "probe instruction" }, QUESTION];
  try {
    return render({ ...toInput(turns, undefined, false), add_generation_prompt: true }).includes("probe instruction");
  } catch {
    return false;
  }
};
