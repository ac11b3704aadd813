import { codeVersion, hostProfile } from "../host-profile";
import type { Engine } from "../ports/engine";
import type { Output, Rubric, RunPins } from "./contract";
import type { ChosenEvaluator } from "./evaluator";
import { criteriaOf, rubricHash } from "./rubric";
import type { ResolvedTarget } from "./target";

export type PinnedDataset = NonNullable<RunPins["dataset"]>;

const HOST = hostProfile();
const CODE = codeVersion();

interface PinSources {
  engine: Pick<Engine, "nodes">;
  dataset: PinnedDataset | null;
  target: ResolvedTarget;
  made: { output: Output; model: string | null; node: string | null };
  evaluators: readonly ChosenEvaluator[];
  rubric: Rubric | undefined;
  seed: number;
}

/** The model, data and settings behind a run of one sample. */
export const pinsOf = ({ engine, dataset, target, made, evaluators, rubric, seed }: PinSources): RunPins => {
  const node = engine.nodes().find(({ id }) => id === made.node)?.readiness;
  const criteria = rubric ? criteriaOf(rubric) : null;
  return {
    dataset,
    target: { ...target.target, ...(made.model !== null && { model: made.model }) },
    model_revision: made.output.model_revision,
    node_version: node?.version ?? null,
    engine: node?.engine ?? null,
    prompt_hash: target.prompt?.hash ?? null,
    index_revision: null,
    evaluators: evaluators.map(({ reference, shadow, hash }) => ({ evaluator: reference, shadow, hash })),
    rubric: criteria && { criteria },
    rubric_hash: criteria && rubricHash(criteria),
    seed,
    repeats: 1,
    code_version: CODE,
    host: HOST,
  };
};
