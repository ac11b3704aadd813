import type { LoggedRequest } from "../../gateway/requests/contract";
import type { Stage } from "../ui/split";

/** The request's time from arrival to the last byte, stage by stage. A stage that didn't happen is left out. */
export const stagesOf = ({ timing, cache, usage, calls, model }: LoggedRequest): Stage[] => {
  const { gateway_ms, queue_ms, ttft_ms, total_ms } = timing;
  // A call of a model that failed has no stages.
  if (calls === 0) return [{ name: model === null ? "Gateway" : "Gateway and node", ms: total_ms, look: 3 }];
  const gateway = Math.min(total_ms, gateway_ms ?? 0);
  const queue = Math.min(total_ms - gateway, queue_ms ?? 0);
  const first = Math.max(gateway + queue, Math.min(total_ms, ttft_ms ?? total_ms));
  // Only a generation has a first token: embeddings arrive together.
  const isGeneration = usage.completion_tokens > 0;
  const stages: Stage[] = [
    { name: cache === "hit" ? "Found in the cache" : "Gateway", ms: gateway, look: 3 },
    { name: "Waiting in the queue", ms: queue, look: 5 },
    { name: isGeneration ? "First token" : "Node", ms: first - gateway - queue, look: 2 },
    { name: isGeneration ? "Rest of the answer" : "Response", ms: total_ms - first, look: 1 },
  ];
  return stages.filter(({ ms }) => ms > 0);
};
