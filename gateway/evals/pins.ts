import { codeVersion, hostProfile } from "../host-profile";
import type { Engine } from "../ports/engine";
import type { Output, RunPins } from "./contract";
import type { ScoringPlan } from "./scoring";
import type { ResolvedTarget } from "./target";

export type PinnedDataset = NonNullable<RunPins["dataset"]>;

const HOST = hostProfile();
const CODE = codeVersion();

interface PinSources {
  engine: Pick<Engine, "nodes">;
  dataset: PinnedDataset | null;
  target: ResolvedTarget;
  made: { output: Output; model: string | null; node: string | null };
  plan: ScoringPlan;
  seed: number;
}

/** Everything that could change the numbers of a run of one sample, as it was when they were made. */
export const pinsOf = ({ engine, dataset, target, made, plan, seed }: PinSources): RunPins => {
  const node = engine.nodes().find(({ id }) => id === made.node)?.readiness;
  return {
    dataset,
    target: { ...target.target, ...(made.model !== null && { model: made.model }) },
    model_revision: made.output.model_revision,
    node_version: node?.version ?? null,
    engine: node?.engine ?? null,
    prompt_hash: target.prompt?.hash ?? null,
    index_revision: null,
    evaluators: plan.evaluators.map(({ reference, shadow, hash }) => ({ evaluator: reference, shadow, hash })),
    rubric: { criteria: [...plan.criteria] },
    rubric_hash: plan.rubricHash,
    seed,
    repeats: 1,
    code_version: CODE,
    host: HOST,
  };
};
