import type { Db } from "../../db/client";
import { listRuns, listRunsOfModel, type RunRow } from "../../db/runs";
import { countMembersByContent, countUngrouped, listMemberGroups, type MemberCounts } from "../../db/samples";
import type { Criterion, RunFigures, SampleChoice } from "../evals/contract";
import type { ChosenEvaluator } from "../evals/evaluator";
import { leastQuestions } from "../evals/judge/judge";
import { obstacle } from "../evals/plan";
import { cautiousRate, detectableRateChange } from "../evals/statistics/power";
import type { TargetIndex } from "../evals/target";
import type { RagIndex } from "../rag/indexes/contract";
import type { RetrievalSettings } from "../retrieval-contract";
import type { BatchEvalPlan } from "./contract";
import { type ChosenRevision, windowsOf } from "./selection";

/** Number of earlier runs whose results show how many tokens a result takes. */
const EARLIER_RUNS = 10;
/** The mean length of a token in English text. */
const CHARACTERS_PER_TOKEN = 4;
/** The rate at which a change is hardest to detect. */
const UNKNOWN_RATE = 0.5;

/** The samples that match a choice, before a limit. */
export interface Survey {
  counts: MemberCounts[];
  samples: number;
  /** Groups, and samples without a group. */
  clusters: number;
}

export const surveySamples = async (db: Db, revision: ChosenRevision, { tags }: SampleChoice): Promise<Survey> => {
  const counts: MemberCounts[] = [];
  const groups = new Set<string>();
  let ungrouped = 0;
  for await (const window of windowsOf(revision)) {
    counts.push(...(await countMembersByContent(db, revision.id, { ...window, tags })));
    for (const group of await listMemberGroups(db, revision.id, { ...window, tags })) groups.add(group);
    ungrouped += await countUngrouped(db, revision.id, { ...window, tags });
  }
  const samples = counts.reduce((sum, { members }) => sum + members, 0);
  return { counts, samples, clusters: groups.size + ungrouped };
};

interface SearchedIndex extends Pick<TargetIndex, "id" | "name">, Pick<RagIndex, "status"> {
  retrieval: Pick<RetrievalSettings, "mode" | "max_context_tokens">;
}

interface Estimated {
  survey: Survey;
  /** Samples of the run; fewer than in the survey if it has a limit. */
  samples: number;
  repeats: number;
  /** null: outputs are stored. */
  generation: {
    model: string;
    /** Maximum length of an answer, in tokens. */
    maxTokens: number;
    temperature: number;
    /** The index that is searched first. */
    index: SearchedIndex | null;
    /** Whether the prompt contains the sample's contexts. */
    sendsContexts: boolean;
  } | null;
  evaluators: readonly { evaluator: ChosenEvaluator; criteria: readonly Criterion[] }[];
  datasetId: string;
}

/** Estimates a run's cost and the change it can detect. For a random subset, the counts of all samples are scaled. */
export const estimateRun = async (db: Db, run: Estimated): Promise<BatchEvalPlan> => {
  const { survey, samples, repeats, generation, datasetId } = run;
  const share = survey.samples === 0 ? 0 : samples / survey.samples;
  const results = samples * repeats;
  const generations = generation ? results : 0;
  const index = generation?.index ?? null;
  const earlier = generation && { model: generation.model, index: index?.id ?? null };
  const known = earlier && usageOf(await listRunsOfModel(db, earlier, EARLIER_RUNS));
  const characters = survey.counts.reduce((sum, count) => sum + count.characters, 0) * share;
  const longest = (generation?.maxTokens ?? 0) + (index?.retrieval.max_context_tokens ?? 0);
  const written = characters / CHARACTERS_PER_TOKEN + samples * longest;
  const tokens = known ? known.tokens * generations : generation ? written * repeats : 0;
  const [last] = await listRuns(db, { limit: 1, datasetId, kind: "batch", state: "completed" });
  const rate = (last?.figures?.value as Partial<RunFigures> | undefined)?.verdict?.pass_rate?.value ?? UNKNOWN_RATE;
  const units = Math.round(survey.clusters * share);
  return {
    samples,
    results,
    generations,
    embeddings: index && index.retrieval.mode !== "keyword" ? results : 0,
    judge_calls: Math.round(judgeCalls(run) * share * repeats),
    estimated_tokens: Math.round(tokens),
    estimated_seconds: known?.seconds == null ? null : known.seconds * generations,
    estimated_gpu_seconds: known && known.gpuSeconds * generations,
    detectable_difference: detectableRateChange(cautiousRate(rate, units), units),
    warnings: warningsOf(run),
  };
};

/** Means per result of earlier runs; null without results. */
const usageOf = (runs: readonly RunRow[]) => {
  const figures = runs.flatMap(({ figures }) => (figures ? [figures.value as unknown as RunFigures] : []));
  const done = figures.reduce((sum, { progress }) => sum + progress.done - progress.errors, 0);
  if (done === 0) return null;
  // A run that was answered from the cache says nothing about the time of the next one.
  const timed = runs.find(({ progress }) => progress && progress.workedMs > 0 && progress.activeMs > 0)?.progress;
  return {
    tokens: figures.reduce((sum, { usage }) => sum + usage.total_tokens, 0) / done,
    gpuSeconds: figures.reduce((sum, { gpu_seconds }) => sum + gpu_seconds, 0) / done,
    seconds: timed ? timed.activeMs / 1000 / timed.done : null,
  };
};

/** The texts that an evaluator could compare an answer with. An index finds contexts for every sample. */
const answerLike = (
  { hasReferences, hasContexts, hasExpectedCalls }: MemberCounts,
  { generation }: Pick<Estimated, "generation">,
) => ({
  question: "",
  references: hasReferences ? ["a"] : [],
  contexts: hasContexts || generation?.index ? ["a"] : [],
  output: "a",
  ...(hasExpectedCalls && generation?.index === null && { calls: { expected: [], made: [], tools: [] } }),
});

const judgeCalls = (run: Estimated): number => {
  const { survey, evaluators } = run;
  let calls = 0;
  for (const count of survey.counts) {
    for (const { evaluator, criteria } of evaluators) {
      if (evaluator.judge === null) continue;
      const possible = criteria.filter((criterion) => obstacle(criterion, answerLike(count, run)) === undefined);
      calls += count.members * leastQuestions(evaluator.judge, possible);
    }
  }
  return calls;
};

const warningsOf = (run: Estimated): string[] => {
  const { survey, generation, evaluators, repeats } = run;
  const warnings: string[] = [];
  const among = (isMeant: (count: MemberCounts) => boolean): number =>
    survey.counts.filter(isMeant).reduce((sum, { members }) => sum + members, 0);
  const unscored = among((count) =>
    evaluators.every(({ criteria }) => criteria.every((each) => obstacle(each, answerLike(count, run)) !== undefined)),
  );
  const withoutOutput = survey.counts.reduce((sum, count) => sum + count.withoutOutput, 0);
  const say = (samples: number, what: string) => {
    if (samples > 0) warnings.push(`${samples} of ${survey.samples} samples ${what}`);
  };
  say(unscored, "have nothing to compare an answer with. They count as errors.");
  if (!generation) say(withoutOutput, "have no stored output. They count as errors.");
  if (generation && !generation.index && !generation.sendsContexts) {
    const unseen = among(({ hasContexts }) => hasContexts);
    say(unseen, "have contexts that the model does not get. To send them, use a prompt with {{contexts}}.");
  }
  const problem = generation?.index && problemOf(generation.index);
  if (problem) warnings.push(problem);
  if (survey.clusters < survey.samples) {
    warnings.push(
      `The samples form ${survey.clusters} independent groups, so intervals are wider than for independent samples.`,
    );
  }
  if (generation?.temperature === 0 && repeats > 1) {
    warnings.push(
      "At temperature 0, the answers to a sample hardly vary. Set a temperature such as 0.7, or use 1 repeat.",
    );
  }
  return warnings;
};

/** Why a run over an index would fail or be meaningless; otherwise undefined. */
const problemOf = ({ name, status }: SearchedIndex): string | undefined => {
  if (status === "ingesting") return stillIngesting(name);
  if (status === "ready") return undefined;
  return `The index "${name}" has no searchable documents, so every answer will be its fallback text.`;
};

/** A run stops when its index changes, so it can't start before all documents are added. */
export const stillIngesting = (name: string): string =>
  `Documents are being added to the index "${name}". Wait until it is ready, because a run stops when its index changes.`;
