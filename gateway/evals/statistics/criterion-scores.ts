import type { Decision } from "./confusion";

/** One evaluator's score of one output on one criterion. */
export interface CriterionScore {
  /** null if the evaluator failed. */
  value: number | null;
  /** null if the criterion has no threshold or the evaluator failed. */
  passed: boolean | null;
  /** Whether people passed the output; null if it is not labelled. */
  label: boolean | null;
}

/** The outcomes of a sample's repeats. */
export interface Attempts {
  passes: number;
  attempts: number;
}

/** A mean for each sample that has one, with the sample's group. */
export interface SampleMeans {
  values: number[];
  groups: (string | null)[];
}

/**
 * One evaluator's scores on one criterion, in one list per field: an object per score would take many times the memory.
 * The scores of a sample's repeats are added one after the other.
 */
export class CriterionScores {
  readonly #values: CriterionScore["value"][] = [];
  readonly #passed: CriterionScore["passed"][] = [];
  readonly #labels: CriterionScore["label"][] = [];
  /** The group of each sample, and the number of scores up to its last one. */
  readonly #groups: (string | null)[] = [];
  readonly #ends: number[] = [];
  #sample: number | undefined;

  /** `sample` is a number that differs from the previous sample's. `group` is null if the sample is independent. */
  add(sample: number, group: string | null, { value, passed, label }: CriterionScore): void {
    if (sample !== this.#sample) this.#groups.push(group);
    this.#sample = sample;
    this.#values.push(value);
    this.#passed.push(passed);
    this.#labels.push(label);
    this.#ends[this.#groups.length - 1] = this.#values.length;
  }

  get scores(): number {
    return this.#values.length;
  }

  get samples(): number {
    return this.#groups.length;
  }

  get isLabelled(): boolean {
    return this.#labels.some((label) => label !== null);
  }

  /** Means over each sample's repeats. Scores for which `pick` returns null are excluded. */
  means(pick: (value: number | null, passed: boolean | null) => boolean | number | null): SampleMeans {
    const means: SampleMeans = { values: [], groups: [] };
    let score = 0;
    this.#ends.forEach((end, sample) => {
      let [sum, count] = [0, 0];
      for (; score < end; score++) {
        const picked = pick(this.#values[score] ?? null, this.#passed[score] ?? null);
        if (picked === null) continue;
        sum += Number(picked);
        count++;
      }
      if (count === 0) return;
      means.values.push(sum / count);
      means.groups.push(this.#groups[sample] ?? null);
    });
    return means;
  }

  /** The verdicts on each sample. Samples without a verdict are left out. */
  attempts(): Attempts[] {
    let start = 0;
    return this.#ends.flatMap((end) => {
      const verdicts = this.#passed.slice(start, end).filter((passed) => passed !== null);
      start = end;
      return verdicts.length === 0 ? [] : [{ passes: verdicts.filter(Boolean).length, attempts: verdicts.length }];
    });
  }

  /** The verdicts with their labels. Those on the same sample are as dependent as those of a group. */
  decisions(): Decision[] {
    let start = 0;
    return this.#ends.flatMap((end, sample) => {
      const group = this.#groups[sample] ?? sample;
      const decisions = this.#passed.slice(start, end).flatMap((decision, repeat): Decision[] => {
        const label = this.#labels[start + repeat] ?? null;
        return decision === null ? [] : [{ decision, label, group }];
      });
      start = end;
      return decisions;
    });
  }
}
