import type { Target } from "../../gateway/evals/contract";
import type { Principal } from "../../gateway/principal";
import type { Services } from "../../gateway/services";
import { toAppError } from "../../lib/errors";
import { withoutEmpty, withQuery } from "../ui/lists";
import { type ChosenSample, EMPTY_FORM, type EvalForm } from "./form";
import type { EvalChoices } from "./new";

const MANY = 100;

/** Data of the form for a new evaluation: its choices, and the sample or run that it starts from. */
export const createNewForm = ({
  datasets,
  evals,
  evaluators,
  models,
  prompts,
}: Pick<Services, "datasets" | "evals" | "evaluators" | "models" | "prompts">) => {
  /** The sample that the form names, or the first of the revision. Throws not_found. */
  const datasetSample = async ({ dataset: id, revision, key }: EvalForm) => {
    const number = revision === "" ? undefined : Number(revision);
    const { dataset, revision: found } = await datasets.revision(id, number);
    const wanted = key === "" ? (await datasets.samples(id, { limit: 1, revision: number })).data[0]?.key : key;
    const sample = await datasets.sample(id, wanted ?? "", found.revision);
    const chosen: ChosenSample = {
      title: `${sample.key} of ${dataset.name}, revision ${found.revision}`,
      sample,
      source: { dataset: { dataset: dataset.id, revision: found.revision, key: sample.key } },
      fields: { dataset: dataset.id, revision: String(found.revision), key: sample.key },
      others: withQuery(`/datasets/${dataset.id}`, { revision: String(found.revision) }),
    };
    return chosen;
  };

  /** The stored sample of a run, and the target that answered it. */
  const runSample = async (id: string): Promise<{ chosen: ChosenSample; target: Target }> => {
    const { run, sample } = await evals.sampleOf(id);
    return {
      chosen: { title: run.name, sample, source: { sample }, fields: { run: id }, others: null },
      target: run.pins.target,
    };
  };

  return {
    async choices(principal: Principal): Promise<EvalChoices> {
      const { data: known } = await evaluators.list({ limit: MANY });
      const { data: named } = await prompts.list({ limit: MANY });
      const newest = await Promise.all(
        known.map(async ({ name, active }) =>
          active ? [active] : (await evaluators.versions(name, { limit: 1 })).data,
        ),
      );
      return {
        models: models
          .list(principal)
          .filter(({ kind }) => kind === "chat")
          .map(({ id, default: isDefault }) => ({ id, isDefault })),
        prompts: named.map(({ name, latest }) => `${name}@${latest.version}`),
        evaluators: newest.flat(),
        shadows: new Map(
          known.flatMap(({ name, active, shadow }) =>
            active && shadow ? [[`${name}@${active.version}`, `${name}@${shadow.version}`] as const] : [],
          ),
        ),
        datasets: (await datasets.list({ limit: MANY })).data,
      };
    },

    /** The sample that a form names and the settings of the run that it repeats, or the problem with the sample's key. */
    async chosenOf(form: EvalForm): Promise<{ chosen?: ChosenSample; target?: Target; problem?: string }> {
      const again = form.run === "" ? undefined : await runSample(form.run);
      if (form.dataset === "") return again ?? {};
      try {
        const chosen = await datasetSample(form);
        return { chosen: { ...chosen, fields: { ...again?.chosen.fields, ...chosen.fields } }, target: again?.target };
      } catch (thrown) {
        const error = toAppError(thrown);
        if (error.kind !== "not_found") throw thrown;
        // The run keeps its sample even if the dataset was deleted.
        return again ?? { problem: error.message };
      }
    },

    /** Fields for repeating a run, or for evaluating a sample of a dataset. */
    async filledFrom(query: { run?: string; dataset?: string; revision?: string; key?: string }) {
      if (query.run === undefined) return withoutEmpty(query);
      const { run, sample } = await evals.sampleOf(query.run);
      const { target, dataset, seed, evaluators: scored } = run.pins;
      return {
        run: query.run,
        model: target.model ?? "",
        prompt: target.prompt ?? "",
        maxTokens: String(target.max_tokens ?? EMPTY_FORM.maxTokens),
        seed: String(seed),
        answer: target.kind === "stored" ? ("given" as const) : ("model" as const),
        evaluators: scored.flatMap(({ evaluator, shadow }) => (shadow ? [] : [evaluator])),
        ...(dataset && sample.key && { dataset: dataset.id, revision: String(dataset.revision), key: sample.key }),
      };
    },
  };
};
