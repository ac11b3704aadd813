import type { Child } from "hono/jsx";
import type { RagDocument } from "../../gateway/rag/indexes/contract";

/** A state with its mark. */
export const State = ({ text, look }: { text: string; look: string }) => <span class={`state ${look}`}>{text}</span>;

interface StepsProps {
  label: string;
  steps: readonly string[];
  /** Position of the current step; past the last one: all are done. */
  at: number;
  isStopped?: boolean;
}

/** The steps of some work: done, current and still to come. */
export const Steps = ({ label, steps, at, isStopped = false }: StepsProps) => (
  <ol class={isStopped ? "steps stopped" : "steps"} aria-label={label}>
    {steps.map((step, index) => (
      <li class={index < at ? "done" : undefined} aria-current={index === at ? "step" : undefined}>
        {step}
        <span class="visually-hidden">{progressText(index, at, isStopped)}</span>
      </li>
    ))}
  </ol>
);

const progressText = (index: number, at: number, isStopped: boolean): Child => {
  if (index < at) return ": done";
  if (index > at) return "";
  return isStopped ? ": stopped here" : ": now";
};

const STAGES = ["Read", "Chunk", "Embed", "Index"];
const POSITIONS: Readonly<Record<RagDocument["state"], number>> = {
  queued: -1,
  reading: 0,
  chunking: 1,
  embedding: 2,
  ready: STAGES.length,
  failed: 0,
  cancelled: -1,
};

/** The progress of a document on its way into the index. */
export const DocumentSteps = ({ state, title }: Pick<RagDocument, "state" | "title">) => (
  <Steps label={`Progress of ${title}`} steps={STAGES} at={POSITIONS[state]} isStopped={state === "failed"} />
);
