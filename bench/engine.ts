import type { LlamaContextSequence } from "node-llama-cpp";
import { createLlamaHost } from "../gpu-node/engine/llama/host";
import { createLlamaEngine } from "../gpu-node/engine/llama/llama";
import { loadRuntime } from "../gpu-node/engine/llama/runtime";
import { evaluateOptions, type Sampling, samplingOf } from "../gpu-node/engine/llama/sampling";
import { silentLog } from "../lib/log";
import { countProgress } from "../lib/progress";
import { loadConfig } from "../lib/settings";
import { median } from "./load";

const TOKENS = 48;
const STREAMS = [1, 4, 8];
const ROUNDS = 4;
/**
 * Sampling parameters of both sides. The model's own top_p and top_k are added, so that both generate the same texts.
 */
const SAMPLING = { temperature: 1, seed: 1 };

/** When an answer started and ended, as `performance.now()` values. */
interface Answer {
  tokens: number;
  firstTokenAt: number;
  endedAt: number;
}

type Side = (prompts: string[]) => Promise<Answer[]>;

/**
 * Compares the embedded engine without HTTP with the minimum that node-llama-cpp needs: one generator per answer, all
 * advanced in one tick, without a scheduler, decoded text or events. It uses the node's settings, such as
 * GROUNDWIRE_NODE_THREADS and GROUNDWIRE_CHAT_MODEL.
 */
export const engineThroughput = async () => {
  const config = loadConfig();
  const log = silentLog();
  const host = createLlamaHost(config.node, log);
  const engine = createLlamaEngine(config, host, log);
  await engine.load(() => {});
  const slots = Math.max(...STREAMS);
  const runtime = await loadRuntime({ ...config, node: { ...config.node, slots } }, host, () => {});
  const sequences = Array.from({ length: slots }, () => runtime.context.getSequence());

  const ours: Side = (prompts) =>
    Promise.all(
      prompts.map(async (prompt) => {
        const accepted = await engine.accept({
          operation: "completion",
          body: { prompt, max_tokens: TOKENS, ...SAMPLING },
          priority: "interactive",
          signal: new AbortController().signal,
        });
        let firstTokenAt = 0;
        let tokens = 0;
        for await (const event of accepted.start()) {
          if (event.type === "delta") firstTokenAt ||= performance.now();
          if (event.type === "end") tokens = event.usage.completionTokens;
        }
        return { tokens, firstTokenAt, endedAt: performance.now() };
      }),
    );

  const floor: Side = async (prompts) => {
    for (const sequence of sequences) await sequence.clearHistory();
    const answers = prompts.map((prompt, index) =>
      begin(sequences[index], prompt, samplingOf(SAMPLING, runtime.file.sampling)),
    );
    for (let step = 0; step < TOKENS; step++) {
      await Promise.all(
        answers.map(async ({ answer, generator }) => {
          if ((await generator.next()).done) return;
          answer.tokens++;
          answer.endedAt = performance.now();
          answer.firstTokenAt ||= answer.endedAt;
        }),
      );
    }
    for (const { generator } of answers) await generator.return();
    return answers.map(({ answer }) => answer);
  };

  const progress = countProgress("engine", STREAMS.length * ROUNDS, "rounds");
  const measured = [];
  for (const streams of STREAMS) measured.push(await compare(streams, ours, floor, progress.step));
  const report = { engine: engine.name, model: config.models.chat, threads: runtime.llama.maxThreads, measured };
  await engine.close();
  await host.dispose();
  return report;
};

const begin = (sequence: LlamaContextSequence | undefined, prompt: string, sampling: Sampling) => {
  if (!sequence) throw new Error("Unreachable: the bare loop has a sequence for each stream.");
  const generator = sequence.evaluate(sequence.model.tokenize(prompt, true), evaluateOptions(sampling, [], TOKENS));
  return { generator, answer: { tokens: 0, firstTokenAt: 0, endedAt: 0 } };
};

/** The sides take turns and change order, so that other load on the machine affects both. */
const compare = async (streams: number, ours: Side, floor: Side, onRound: () => void) => {
  const rounds: { engine: Speed; floor: Speed }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const prompts = Array.from(
      { length: streams },
      (_, index) => `${round}.${index} The keeper of the lighthouse said:`,
    );
    const first = round % 2 === 0 ? await time(ours, prompts) : undefined;
    const atFloor = await time(floor, prompts);
    rounds.push({ engine: first ?? (await time(ours, prompts)), floor: atFloor });
    onRound();
  }
  const middle = (pick: (round: { engine: Speed; floor: Speed }) => number) =>
    Number(median(rounds.map(pick)).toFixed(2));
  return {
    streams,
    engineTokensPerSecond: middle(({ engine }) => engine.tokensPerSecond),
    floorTokensPerSecond: middle(({ floor: { tokensPerSecond } }) => tokensPerSecond),
    ratio: middle(({ engine, floor: { tokensPerSecond } }) => engine.tokensPerSecond / tokensPerSecond),
    cpuRatio: middle(({ engine, floor: { cpuMs } }) => engine.cpuMs / cpuMs),
    engineTtftMs: middle(({ engine }) => engine.ttftMs),
    floorTtftMs: middle(({ floor: { ttftMs } }) => ttftMs),
  };
};

interface Speed {
  /** Measured from the last answer's first token, because prefill counts towards the time to first token. */
  tokensPerSecond: number;
  /** Time of the answer that waited longest. */
  ttftMs: number;
  /** CPU time of all threads per token, including prefill, which hardly depends on other load. */
  cpuMs: number;
}

const time = async (side: Side, prompts: string[]): Promise<Speed> => {
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const answers = await side(prompts);
  const { user, system } = process.cpuUsage(cpuBefore);
  const generatingAt = Math.max(...answers.map(({ firstTokenAt }) => firstTokenAt));
  const endedAt = Math.max(...answers.map((answer) => answer.endedAt));
  const tokens = answers.reduce((sum, answer) => sum + answer.tokens - 1, 0);
  return {
    tokensPerSecond: (tokens * 1000) / (endedAt - generatingAt),
    ttftMs: generatingAt - startedAt,
    cpuMs: (user + system) / 1000 / (tokens + answers.length),
  };
};
