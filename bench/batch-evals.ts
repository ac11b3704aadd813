import { ADMIN_KEY, Stack } from "../tests/harness";
import { until } from "../tests/until";
import { cpuMs, residentMib } from "./processes";

const SAMPLES = 10_000;

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

/**
 * A batch run of 10,000 samples against the synthetic engine, which answers immediately: samples per second with everything
 * stored, CPU of each process per sample, and the most memory. The answers are the same with each evaluator.
 */
export const batchEvals = async () => {
  const stack = await Stack.start({
    engine: "synthetic",
    workers: 1,
    env: { GROUNDWIRE_LOG_LEVEL: "warn", GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000" },
  });
  try {
    const lines = Array.from(
      { length: SAMPLES },
      (_, n) => `{"key":"k${n}","input":"What is ${n} plus one?","references":["${n + 1}"]}\n`,
    );
    const form = new FormData();
    form.append("name", "questions");
    form.append("file", new File(lines, "samples.jsonl"));
    const headers = { authorization: `Bearer ${ADMIN_KEY}` };
    const uploaded = await fetch(`${stack.url}/v1/datasets`, { method: "POST", headers, body: form });
    if (!uploaded.ok) throw new Error(`The upload returned ${uploaded.status}.`);
    return { exact: await measure(stack, "exact@1"), reference: await measure(stack, "reference@1") };
  } finally {
    await stack.stop();
  }
};

const measure = async (stack: Stack, evaluator: string) => {
  const processes = { gateway: stack.gateway.pid, node: stack.node.pid, worker: stack.workers[0]?.pid ?? 0 };
  const names = Object.keys(processes) as (keyof typeof processes)[];
  const cpu = () => Object.fromEntries(names.map((name) => [name, cpuMs(processes[name])]));
  const most = { gateway: 0, node: 0, worker: 0 };
  const before = cpu();
  const body = { dataset: "questions", target: { kind: "chat", max_tokens: 16 }, evaluators: [evaluator] };
  const startedMs = performance.now();
  const { id } = (await (await stack.fetch("/v1/batch-evals", { body })).json()) as Json;
  let run: Json;
  await until(
    "the run has ended",
    async () => {
      for (const name of names) most[name] = Math.max(most[name], Math.round(residentMib(processes[name])));
      run = await (await stack.fetch(`/v1/batch-evals/${id}`)).json();
      await Bun.sleep(200);
      return run.ended_at !== null;
    },
    300_000,
  );
  const seconds = (performance.now() - startedMs) / 1000;
  const after = cpu();
  if (run.state !== "completed" || run.progress.done !== SAMPLES) throw new Error(`The run is ${run.state}.`);
  return {
    samples: SAMPLES,
    seconds: Math.round(seconds * 10) / 10,
    samples_per_second: Math.round(SAMPLES / seconds),
    cpu_ms_per_sample: Object.fromEntries(
      names.map((name) => [name, Math.round((1000 * ((after[name] ?? 0) - (before[name] ?? 0))) / SAMPLES) / 1000]),
    ),
    most_mib: most,
  };
};
