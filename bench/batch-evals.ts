import { ADMIN_KEY, Stack } from "../tests/harness";
import { until } from "../tests/until";
import { cpuMs, residentMib } from "./processes";

const SAMPLES = 10_000;

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

/**
 * Batch runs of 10,000 samples against the synthetic engine, which answers immediately: samples per second with everything
 * stored, where the worker's time went, CPU of each process per sample, and memory. `bun run bench batch-evals 100000` for
 * more samples.
 */
export const batchEvals = async ([option]: string[]) => {
  const samples = Number(option ?? SAMPLES);
  const stack = await Stack.start({
    engine: "synthetic",
    workers: 1,
    env: { GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000" },
  });
  try {
    const lines = Array.from(
      { length: samples },
      (_, n) => `{"key":"k${n}","input":"What is ${n} plus one?","references":["${n + 1}"]}\n`,
    );
    const form = new FormData();
    form.append("name", "questions");
    form.append("file", new File(lines, "samples.jsonl"));
    const headers = { authorization: `Bearer ${ADMIN_KEY}` };
    const uploaded = await fetch(`${stack.url}/v1/datasets`, { method: "POST", headers, body: form });
    if (!uploaded.ok) throw new Error(`The upload returned ${uploaded.status}.`);
    return {
      exact: await measure(stack, samples, "exact@1", 0),
      reference: await measure(stack, samples, "reference@1", 1),
    };
  } finally {
    await stack.stop();
  }
};

/** A different `seed` produces different answers, so none comes from the cache. */
const measure = async (stack: Stack, samples: number, evaluator: string, seed: number) => {
  const [worker] = stack.workers;
  if (!worker) throw new Error("The stack has no worker.");
  const processes = { gateway: stack.gateway.pid, node: stack.node.pid, worker: worker.pid };
  const names = Object.keys(processes) as (keyof typeof processes)[];
  const cpu = () => Object.fromEntries(names.map((name) => [name, cpuMs(processes[name])]));
  /** Resident memory each time the run was read. */
  const memory: Record<keyof typeof processes, number[]> = { gateway: [], node: [], worker: [] };
  const before = cpu();
  const body = { dataset: "questions", target: { kind: "chat", max_tokens: 16 }, evaluators: [evaluator], seed };
  const startedMs = performance.now();
  const { id } = (await (await stack.fetch("/v1/batch-evals", { body })).json()) as Json;
  let run: Json;
  await until(
    "the run has ended",
    async () => {
      for (const name of names) memory[name].push(residentMib(processes[name]));
      run = await (await stack.fetch(`/v1/batch-evals/${id}`)).json();
      await Bun.sleep(200);
      return run.ended_at !== null;
    },
    600_000,
  );
  const seconds = (performance.now() - startedMs) / 1000;
  const after = cpu();
  if (run.state !== "completed" || run.progress.done !== samples) throw new Error(`The run is ${run.state}.`);
  const times = await timesOf(worker, id);
  const percentOf = (ms: number) => Math.round((100 * ms) / times.tookMs);
  const mostOf = (some: number[]) => Math.round(Math.max(...some));
  return {
    samples,
    seconds: Math.round(seconds * 10) / 10,
    samples_per_second: Math.round(samples / seconds),
    percent_of_time: { database: percentOf(times.databaseMs), scorer: percentOf(times.scoringMs) },
    cpu_ms_per_sample: Object.fromEntries(
      names.map((name) => [name, Math.round((1000 * ((after[name] ?? 0) - (before[name] ?? 0))) / samples) / 1000]),
    ),
    most_mib: Object.fromEntries(names.map((name) => [name, mostOf(memory[name])])),
    /** If a process retained memory for each sample, the second half would use more than the first. */
    most_mib_in_first_half: Object.fromEntries(
      names.map((name) => [name, mostOf(memory[name].slice(0, Math.ceil(memory[name].length / 2)))]),
    ),
  };
};

/** The times that the worker logs when a run ends. */
const timesOf = async (
  worker: Stack["gateway"],
  id: string,
): Promise<{ tookMs: number; databaseMs: number; scoringMs: number }> => {
  let line: string | undefined;
  await until("the worker has logged its times", () => {
    line = worker.output.split("\n").find((each) => each.includes(`"run":"${id}"`) && each.includes("databaseMs"));
    return line !== undefined;
  });
  return JSON.parse(line ?? "{}");
};
