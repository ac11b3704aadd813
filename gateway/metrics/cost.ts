import type { Config } from "../../lib/config";
import type { Run } from "../evals/contract";
import type { MachineCost } from "./contract";
import type { KeyUse } from "./measurements";

interface CostInput {
  price: Pick<Config["gateway"], "gpuPricePerHour" | "currency">;
  /** Milliseconds since 1970. */
  from: number;
  to: number;
  keys: ReadonlyMap<string, KeyUse>;
  keyNames: ReadonlyMap<string, string>;
  runs: readonly Run[];
  /** Slots for answers on all nodes. */
  slots: number;
}

/**
 * Splits the time of all machines between keys and idle time. A request that holds one of 8 slots for 4 s uses 0.5 s.
 * Embeddings have their own slots, so both together can exceed the period; then all shares shrink to fit it.
 */
export const machineCost = ({ price, from, to, keys, keyNames, runs, slots }: CostInput): MachineCost => {
  const seconds = (to - from) / 1000;
  const used = keys.values().reduce((sum, { machineMs }) => sum + machineMs, 0) / 1000;
  const fit = used > seconds ? seconds / used : 1;
  const amountOf = (given: number): number | null =>
    price.gpuPricePerHour === undefined ? null : (given / 3600) * price.gpuPricePerHour;
  const idle = Math.max(0, seconds - used);
  return {
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    currency: price.currency,
    price_per_hour: price.gpuPricePerHour ?? null,
    seconds,
    amount: amountOf(seconds),
    idle_seconds: idle,
    idle_amount: amountOf(idle),
    keys: [...keys]
      .map(([key_id, use]) => ({
        key_id,
        name: keyNames.get(key_id) ?? null,
        requests: use.requests,
        prompt_tokens: use.promptTokens,
        completion_tokens: use.completionTokens,
        seconds: (use.machineMs / 1000) * fit,
        amount: amountOf((use.machineMs / 1000) * fit),
        job_seconds: (use.jobMachineMs / 1000) * fit,
      }))
      .toSorted((a, b) => b.seconds - a.seconds || b.requests - a.requests),
    runs: runs
      .map(({ id, name, gpu_seconds }) => ({ run_id: id, name, seconds: gpu_seconds / Math.max(1, slots) }))
      .filter((run) => run.seconds > 0)
      .map((run) => ({ ...run, amount: amountOf(run.seconds) }))
      .toSorted((a, b) => b.seconds - a.seconds),
  };
};
