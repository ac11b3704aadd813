import { createLlamaEmbedder } from "../gpu-node/engine/llama/embedder";
import { createLlamaHost } from "../gpu-node/engine/llama/host";
import { ensureModel } from "../gpu-node/models/download";
import { silentLog } from "../lib/log";
import { countProgress } from "../lib/progress";
import { defaultConfig } from "../lib/settings";
import { Stack } from "../tests/harness";
import { median } from "./load";

const BATCHES = [1, 8, 32];
const ROUNDS = 5;
/** Words per text (one token each), and texts per round. */
const LENGTHS = [
  { words: 14, texts: 64 },
  { words: 126, texts: 32 },
];
const WORDS = "the keeper of a lighthouse writes down each ship that comes in and where it goes".split(" ");

/** Embeds texts in batches of this size, one batch after the other. */
type Side = (texts: string[], batch: number) => Promise<void>;

/**
 * Embeddings of the default model on one thread: a bare loop over node-llama-cpp, the embedder without HTTP, and the
 * full path through gateway and node.
 */
export const embeddings = async () => {
  const config = defaultConfig({ node: { threads: 1, gpu: "off" } });
  const host = createLlamaHost(config.node, silentLog());
  const embedder = createLlamaEmbedder(config, host, silentLog());
  await embedder.load(() => {});
  const { path } = await ensureModel("embedding", config);
  const model = await (await host.start()).loadModel({ modelPath: path });
  const context = await model.createEmbeddingContext({ contextSize: 513, batchSize: 513, threads: 1 });
  const stack = await Stack.start({ engine: "llama", env: { GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000" } });

  const floor: Side = async (texts) => {
    for (const text of texts) await context.getEmbeddingFor(text);
  };
  const own: Side = inBatches(async (input) => {
    const { start } = await embedder.accept({
      body: { input },
      priority: "interactive",
      fairKey: "bench",
      signal: new AbortController().signal,
      isAnswering: () => false,
    });
    for await (const _ of start());
  });
  const gateway: Side = inBatches(async (input) => {
    const headers = { "cache-control": "no-cache, no-store" };
    const response = await stack.fetch("/v1/embeddings", { body: { input, encoding_format: "base64" }, headers });
    if (!response.ok) throw new Error(await response.text());
    await response.arrayBuffer();
  });

  try {
    const progress = countProgress("embeddings", LENGTHS.length * BATCHES.length * (ROUNDS + 1), "rounds");
    const measured = [];
    for (const { words, texts } of LENGTHS) {
      const corpus = Array.from({ length: texts }, (_, index) => textOf(words, index));
      for (const batch of BATCHES)
        measured.push({
          tokens: words + 2,
          batch,
          ...(await compare({ floor, embedder: own, gateway }, corpus, batch, progress.step)),
        });
    }
    return { embedder: embedder.name, model: config.models.embedding, threads: 1, measured };
  } finally {
    await stack.stop();
    await embedder.close();
    await host.dispose();
  }
};

interface Sides {
  floor: Side;
  embedder: Side;
  gateway: Side;
}

interface Speed {
  textsPerSecond: number;
  /** CPU time of this process per text, which hardly depends on other load. Gateway and node are separate processes. */
  cpuMs: number;
}

/** The sides take turns, so that other load on the machine affects all of them. */
const compare = async (sides: Sides, corpus: string[], batch: number, onRound: () => void) => {
  const rounds: Record<keyof Sides, Speed>[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const speeds = {
      floor: await time(sides.floor, corpus, batch),
      embedder: await time(sides.embedder, corpus, batch),
      gateway: await time(sides.gateway, corpus, batch),
    };
    if (round > 0) rounds.push(speeds); // the first one warms up
    onRound();
  }
  const middle = (pick: (round: (typeof rounds)[number]) => number) => Number(median(rounds.map(pick)).toFixed(2));
  return {
    floorTextsPerSecond: middle(({ floor }) => floor.textsPerSecond),
    embedderTextsPerSecond: middle(({ embedder }) => embedder.textsPerSecond),
    gatewayTextsPerSecond: middle(({ gateway }) => gateway.textsPerSecond),
    embedderRatio: middle(({ embedder, floor }) => embedder.textsPerSecond / floor.textsPerSecond),
    gatewayRatio: middle(({ gateway, floor }) => gateway.textsPerSecond / floor.textsPerSecond),
    embedderCpuRatio: middle(({ embedder, floor }) => embedder.cpuMs / floor.cpuMs),
    floorCpuMs: middle(({ floor }) => floor.cpuMs),
  };
};

/** All texts differ, because the gateway computes identical texts only once. */
const textOf = (words: number, number: number): string =>
  [number, ...Array.from({ length: words - 1 }, (_, index) => WORDS[(index * 3 + number) % WORDS.length])].join(" ");

const inBatches =
  (embed: (texts: string[]) => Promise<void>): Side =>
  async (texts, batch) => {
    for (let from = 0; from < texts.length; from += batch) await embed(texts.slice(from, from + batch));
  };

const time = async (side: Side, texts: string[], batch: number): Promise<Speed> => {
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await side(texts, batch);
  const elapsedMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { textsPerSecond: (texts.length * 1000) / elapsedMs, cpuMs: (user + system) / 1000 / texts.length };
};
