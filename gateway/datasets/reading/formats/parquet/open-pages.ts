import { noteRead } from "../../garbage";
import { formatBytes, invalid } from "../../problems";

/** For the pages and dictionaries of all columns that are open at a time. */
const MAX_COST_BYTES = 16 * 1_048_576;

/** Keeps what is open at the same time within a bound that holds for all columns together. */
export class OpenPages {
  readonly #costs = new Map<object, number>();

  /** States what `holder` is about to hold. Throws dataset_invalid when all holders together would hold too much. */
  hold(holder: object, costBytes: number, column: string): void {
    this.#costs.set(holder, costBytes);
    const sum = this.#costs.values().reduce((all, each) => all + each, 0);
    if (sum > MAX_COST_BYTES) {
      throw invalid(
        `the pages of the Parquet file take more than ${formatBytes(MAX_COST_BYTES)} at a time. Map columns that you ` +
          "don't need to null, write the file with smaller pages, or upload JSONL.",
        { column },
      );
    }
    noteRead(costBytes);
  }

  letGo(holder: object): void {
    this.#costs.delete(holder);
  }
}
