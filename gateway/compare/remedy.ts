import type { RunTable } from "./table";

/** A run and its name in a sentence: "the run", "the baseline". */
export interface NamedTable {
  name: string;
  table: RunTable;
}

const sum = (counts: readonly number[]): number => counts.reduce((total, each) => total + each, 0);

/** The remedies, and how many results of a run each of them can help. */
const REMEDIES: readonly (readonly [helps: (table: RunTable) => number, sentence: (runs: string) => string])[] = [
  [({ results, expected }) => expected.results - sum(results), (runs) => `Resume ${runs}.`],
  [({ failed, invalid }) => failed - invalid, (runs) => `Retry the errors of ${runs}.`],
  [({ errors, failed }) => sum(errors) - failed, (runs) => `Score the answers of ${runs} again.`],
  [({ invalid }) => invalid, () => "Correct the samples that can't be evaluated, and start a new run."],
];

/** How to obtain the values that runs lack, depending on why they lack them. */
export const remedyFor = (runs: readonly NamedTable[]): string => {
  const namesOf = (some: readonly NamedTable[]): string =>
    some.length > 1 ? "both runs" : some.map(({ name }) => name).join();
  const sentences = REMEDIES.flatMap(([helps, sentence]) => {
    const helped = runs.filter(({ table }) => helps(table) > 0);
    return helped.length > 0 ? [sentence(namesOf(helped))] : [];
  });
  // A result that has a verdict can lack the score of a shadow evaluator.
  return sentences.length > 0 ? sentences.join(" ") : `Score the answers of ${namesOf(runs)} again.`;
};
