import { parseArgs } from "node:util";
import { MAX_ANSWER_TOKENS } from "../gateway/conversations/service";
import { createLlamaHost } from "../gpu-node/engine/llama/host";
import { createLlamaEngine } from "../gpu-node/engine/llama/llama";
import { silentLog } from "../lib/log";
import { loadConfig } from "../lib/settings";

type Sides = Record<string, Record<string, number>>;

/** The sampling parameters that are compared; the catalogue's defaults fill in the rest. */
const SIDES: Sides = {
  "temperature 0.4, no penalty": { temperature: 0.4, top_p: 0.9, repetition_penalty: 1 },
  "catalogue, no penalty": { repetition_penalty: 1 },
  catalogue: {},
};

/** Everyday questions to a chat. */
const PROMPTS = [
  "Name three colours.",
  "What is the capital of France?",
  "Write a short poem about the sea.",
  "Explain photosynthesis to a ten-year-old.",
  "Give me a recipe for pancakes.",
  "How do I ask my boss for a day off?",
  "What are the benefits of drinking water?",
  "Tell me a story about a dragon and a baker.",
  "List ten ideas for a birthday present for my mother.",
  "What is the difference between a virus and a bacterium?",
  "Write a polite email to reschedule a meeting.",
  "How does a bicycle stay upright?",
  "Plan a weekend in Rome.",
  "Why is the sky blue?",
  "Summarise the plot of Romeo and Juliet.",
  "How can I sleep better?",
  "Write a Python function that reverses a string.",
  "What should I pack for a camping trip?",
  "Compare cats and dogs as pets.",
  "Give me tips for learning a new language.",
];

interface Answer {
  text: string;
  isWhole: boolean;
  tokens: number;
}

/** Reads `--seed` and `--penalty`, each with one or more numbers, such as `--penalty 1.1 --penalty 1.2`. */
const readOptions = (args: string[]): { seeds: number[]; sides: Sides } => {
  const list = { type: "string", multiple: true } as const;
  const { values } = parseArgs({ args, options: { seed: { ...list, default: ["1", "2", "3"] }, penalty: list } });
  const number = (text: string): number => {
    if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
    throw new Error(`--seed and --penalty take a number, not ${text}.`);
  };
  const penalties = values.penalty?.map((text) => [`catalogue, penalty ${text}`, { repetition_penalty: number(text) }]);
  return { seeds: values.seed.map(number), sides: penalties ? Object.fromEntries(penalties) : SIDES };
};

/**
 * Measures whether the default model ends its answers or repeats itself until the limit. Each prompt is asked with each
 * seed, as on the chat page, through the embedded engine. `--penalty` compares the catalogue's sampling with these
 * penalties instead of the usual sides. GROUNDWIRE_CHAT_MODEL chooses another model.
 */
export const repetition = async (args: string[]) => {
  const { seeds, sides } = readOptions(args);
  const config = loadConfig();
  const log = silentLog();
  const host = createLlamaHost(config.node, log);
  const engine = createLlamaEngine(config, host, log);
  await engine.load(() => {});

  const ask = async (content: string, sampling: Record<string, number>): Promise<Answer> => {
    const body = { max_tokens: MAX_ANSWER_TOKENS, ...sampling, messages: [{ role: "user", content }] };
    const accepted = await engine.accept({ operation: "chat", body, signal: new AbortController().signal });
    let text = "";
    for await (const event of accepted.start()) {
      if (event.type === "delta") text += event.text;
      if (event.type === "end") {
        return { text, isWhole: event.finishReason === "stop", tokens: event.usage.completionTokens };
      }
    }
    throw new Error("The engine's stream has no end event.");
  };

  const measured: Record<string, unknown> = {};
  for (const [name, sampling] of Object.entries(sides)) {
    const asked = seeds.flatMap((seed) => PROMPTS.map((prompt) => ask(prompt, { ...sampling, seed })));
    measured[name] = summary(await Promise.all(asked));
  }
  await engine.close();
  await host.dispose();
  return { model: config.models.chat, prompts: PROMPTS.length, seeds, measured };
};

const summary = (answers: Answer[]) => ({
  answers: answers.length,
  endedBeforeTheLimit: answers.filter(({ isWhole }) => isWhole).length,
  repeatedSixWordsThreeTimes: answers.filter(({ text }) => mostRepeats(text, 6) >= 3).length,
  medianTokens: answers.map(({ tokens }) => tokens).sort((a, b) => a - b)[Math.floor(answers.length / 2)],
});

/** How often the most frequent sequence of `length` words occurs. */
const mostRepeats = (text: string, length: number): number => {
  const words = text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];
  const counts = new Map<string, number>();
  for (let at = 0; at + length <= words.length; at++) {
    const run = words.slice(at, at + length).join(" ");
    counts.set(run, (counts.get(run) ?? 0) + 1);
  }
  return Math.max(0, ...counts.values());
};
