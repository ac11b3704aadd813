import { afterEach, expect, test } from "bun:test";
import { Stack } from "../harness";
import { until } from "../until";

let stack: Stack | undefined;
afterEach(async () => {
  await stack?.stop();
  stack = undefined;
});

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

const SAMPLES = 12;

test("a run on the real model survives kill -9 of its worker, and its answers are scored once", async () => {
  const env = { GROUNDWIRE_JOBS_LEASE_MS: "1500", GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000" };
  const running = await Stack.start({ engine: "llama", workers: 1, env });
  stack = running;
  const samples = Array.from({ length: SAMPLES }, (_, n) => ({
    ...{ key: `k${n}`, input: `What is ${n} plus ${n}?`, references: [String(2 * n)] },
  }));
  await running.fetch("/v1/datasets", { body: { name: "sums", samples } });
  const target = { kind: "chat", max_tokens: 24 };
  const body = { dataset: "sums", target, evaluators: ["reference@1"], max_concurrency: 2 };
  const { id } = (await (await running.fetch("/v1/batch-evals", { body })).json()) as Json;
  const read = async (): Promise<Json> => (await running.fetch(`/v1/batch-evals/${id}`)).json();
  await until("some results are stored", async () => (await read()).progress.done >= 3, 60_000);
  await running.replaceWorker();
  await until("the run has ended", async () => typeof (await read()).ended_at === "string", 120_000);
  const run = await read();
  expect([run.state, run.progress.done, run.progress.errors]).toEqual(["completed", SAMPLES, 0]);
  expect(run.pins.model_revision).toMatch(/^[0-9a-f]{12}$/);
  expect([run.verdict.n, run.latency.n, run.gpu_seconds > 0]).toEqual([SAMPLES, SAMPLES, true]);
  const { data } = (await (await running.fetch(`/v1/batch-evals/${id}/samples?limit=100`)).json()) as Json;
  expect(data.map(({ scores }: Json) => scores.length)).toEqual(Array(SAMPLES).fill(1));
  const tokens = data.reduce((sum: number, { output }: Json) => sum + output.usage.completion_tokens, 0);
  expect(run.usage.completion_tokens).toBe(tokens);
}, 200_000);
