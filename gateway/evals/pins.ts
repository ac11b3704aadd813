import { codeVersion, hostProfile } from "../host-profile";
import type { Engine } from "../ports/engine";
import type { Rubric, RunPins, SampleChoice } from "./contract";
import type { ChosenEvaluator } from "./evaluator";
import { criteriaOf, rubricHash } from "./rubric";
import type { MadeOutput, ResolvedTarget } from "./target";

export type PinnedDataset = NonNullable<RunPins["dataset"]>;

const HOST = hostProfile();
const CODE = codeVersion();

interface PinSources {
  engine: Pick<Engine, "nodes">;
  dataset: PinnedDataset | null;
  samples?: SampleChoice;
  target: ResolvedTarget;
  /** null: no model is called. */
  model: { id: string; revision: string | null } | null;
  /** The id of the node that answers; null: any that has the model. */
  node: string | null;
  /** The version and revision of the index that were searched; null: none. */
  index: MadeOutput["index"];
  evaluators: readonly ChosenEvaluator[];
  rubric: Rubric | undefined;
  seed: number;
  repeats?: number;
}

/** The model, data and settings behind a run. */
export const pinsOf = (sources: PinSources): RunPins => {
  const { engine, dataset, samples, target, model, index, evaluators, rubric, seed, repeats = 1 } = sources;
  const node =
    model &&
    engine.nodes().find(({ id, readiness }) => {
      if (sources.node !== null) return id === sources.node;
      return readiness?.models.some((each) => each.id === model.id) ?? false;
    })?.readiness;
  const criteria = rubric ? criteriaOf(rubric) : null;
  return {
    dataset,
    ...(samples && { samples }),
    target: { ...target.target, ...(model && { model: model.id }) },
    model_revision: model?.revision ?? null,
    node_version: node?.version ?? null,
    engine: node?.engine ?? null,
    prompt_hash: target.prompt?.hash ?? null,
    ...(index &&
      target.index && {
        index_name: target.index.name,
        index_version: index.version,
        embedding_model: target.index.embeddingModel,
        embedding_model_revision: target.index.embeddingModelRevision,
      }),
    index_revision: index?.revision ?? null,
    evaluators: evaluators.map(({ reference, shadow, hash }) => ({ evaluator: reference, shadow, hash })),
    rubric: criteria && { criteria },
    rubric_hash: criteria && rubricHash(criteria),
    seed,
    repeats,
    code_version: CODE,
    host: HOST,
  };
};
