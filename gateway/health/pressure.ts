import type { NodeView } from "../ports/engine";
import { degradation, takesRequests } from "./causes";
import type { Degradation, DegradationCode } from "./contract";

/** A mode is entered after the queues have been this full for `ENTER_MS`, and left after `LEAVE_MS` below `LOW`. */
const HIGH: readonly { code: DegradationCode; share: number; reason: string }[] = [
  { code: "fewer_tokens", share: 0.5, reason: "The nodes' queues are more than half full, so answers are shorter" },
  { code: "no_evals", share: 0.8, reason: "The nodes' queues are nearly full, so evaluations wait" },
];
const LOW = 0.25;
const ENTER_MS = 3000;
const LEAVE_MS = 5000;

interface Level {
  since: Date | undefined;
  /** When the queues became full enough to enter, or empty enough to leave. */
  changingAt: number | undefined;
}

/** The filled share of the queues of all nodes that accept requests; 0 if they have no queue. */
const fullShare = (nodes: readonly NodeView[]): number => {
  let [depth, capacity] = [0, 0];
  for (const { state, readiness } of nodes) {
    if (!readiness || !takesRequests(state)) continue;
    depth += readiness.queue.depth;
    capacity += readiness.queue.capacity;
  }
  return capacity === 0 ? 0 : depth / capacity;
};

/** Modes that reduce load while the queues of the nodes are full. They change slowly, so that they don't flap. */
export const createPressure = (now: () => number = Date.now) => {
  const levels = new Map<DegradationCode, Level>(
    HIGH.map(({ code }) => [code, { since: undefined, changingAt: undefined }]),
  );
  return (nodes: readonly NodeView[]): Degradation[] => {
    const full = fullShare(nodes);
    return HIGH.flatMap(({ code, share, reason }) => {
      const level = levels.get(code);
      if (!level) return [];
      const isChanging = level.since ? full < LOW : full >= share;
      level.changingAt = isChanging ? (level.changingAt ?? now()) : undefined;
      if (level.changingAt !== undefined && now() - level.changingAt >= (level.since ? LEAVE_MS : ENTER_MS)) {
        level.since = level.since ? undefined : new Date(now());
        level.changingAt = undefined;
      }
      return level.since ? [degradation(code, level.since, reason, ["busy"])] : [];
    });
  };
};
