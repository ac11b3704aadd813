import { Stack } from "../tests/harness";
import { until } from "../tests/until";

const PAIRS = 20;
const SAMPLES = 2000;

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

/**
 * Time to first token of a chat on the default model, on an idle node and while a batch run keeps it busy. The requests
 * of each pair are sent one after the other. The run is paused before each idle request.
 */
export const batchTtft = async () => {
  const stack = await Stack.start({
    engine: "llama",
    workers: 1,
    env: { GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000", GROUNDWIRE_CACHE: "false" },
  });
  try {
    const samples = Array.from({ length: SAMPLES }, (_, n) => ({
      ...{ key: `k${n}`, input: `Tell me about the number ${n} in a few sentences.`, references: [String(n)] },
    }));
    await stack.fetch("/v1/datasets", { body: { name: "numbers", samples } });
    const body = { dataset: "numbers", target: { kind: "chat", max_tokens: 64 }, evaluators: ["reference@1"] };
    const { id } = (await (await stack.fetch("/v1/batch-evals", { body })).json()) as Json;
    const { slots } = await stack.nodeState();
    const running = async () => (await stack.nodeState()).slots.running;
    const idle: number[] = [];
    const busy: number[] = [];
    await until("the batch run generates", async () => (await running()) > 1, 60_000);
    for (let pair = 0; pair < PAIRS; pair++) {
      await stack.fetch(`/v1/batch-evals/${id}/pause`, { method: "POST" });
      await until("the node is idle", async () => (await running()) === 0, 120_000);
      idle.push(await ttftMs(stack, 2 * pair));
      await stack.fetch(`/v1/batch-evals/${id}/resume`, { body: {} });
      await until("the batch run generates", async () => (await running()) > 1, 60_000);
      // Without a pause, the request would find the prompts of the run's first samples, not its usual load.
      await Bun.sleep(500 + 1000 * Math.random());
      busy.push(await ttftMs(stack, 2 * pair + 1));
    }
    const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
    return {
      ...{
        pairs: PAIRS,
        slots: slots.total,
        idle_ms_p50: Math.round(median(idle)),
        busy_ms_p50: Math.round(median(busy)),
      },
      ratio: Math.round((100 * median(busy)) / median(idle)) / 100,
      idle_ms: idle.map(Math.round),
      busy_ms: busy.map(Math.round),
    };
  } finally {
    await stack.stop();
  }
};

const ttftMs = async (stack: Stack, n: number): Promise<number> => {
  const messages = [{ role: "user", content: `Which animal has the number ${n}? Answer in one sentence.` }];
  const startedMs = performance.now();
  const response = await stack.fetch("/v1/chat/completions", {
    body: { model: "smollm2-135m-instruct", messages, max_tokens: 16, stream: true },
  });
  let text = "";
  let firstMs: number | undefined;
  const decoder = new TextDecoder();
  for await (const piece of response.body ?? []) {
    text += decoder.decode(piece, { stream: true });
    if (/"content":"[^"]/.test(text)) firstMs ??= performance.now() - startedMs;
  }
  if (firstMs === undefined) throw new Error(`The chat returned ${response.status}: ${text}`);
  return firstMs;
};
