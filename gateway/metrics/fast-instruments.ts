import { Counter, Histogram, type HistogramConfiguration } from "prom-client";

interface Series {
  labels: Record<string, string>;
  /** Counts per bucket, not cumulative. The last bucket is +Inf. */
  counts: Float64Array;
  sum: number;
}

/** Records a value for one set of labels. */
type Observe = (value: number) => void;

/**
 * A prom-client counter that keeps a number per set of labels instead of hashing the labels for each increment, like
 * `FastHistogram`.
 */
export class FastCounter extends Counter<string> {
  readonly #series: { labels: Record<string, string>; value: number }[] = [];

  /** Creates the series for these labels and returns its increment. Keep it: a second call would create another series. */
  series(labels: Record<string, string>): () => void {
    const series = { labels, value: 0 };
    this.#series.push(series);
    return () => {
      series.value++;
    };
  }

  override async get() {
    return { ...(await super.get()), values: this.#series };
  }
}

/**
 * A prom-client histogram whose observations take 20 ns instead of 580 (measured with prom-client 15.1.3 on Bun 1.4.5,
 * with a reused child of `labels()`). prom-client hashes the labels each time; this class keeps what `series()`
 * returns.
 */
export class FastHistogram extends Histogram<string> {
  readonly #series: Series[] = [];
  readonly #bounds: number[];

  constructor(private readonly settings: HistogramConfiguration<string> & { buckets: number[] }) {
    super(settings);
    this.#bounds = settings.buckets;
  }

  /** Creates the series for these labels. Keep it: a second call would create another series. */
  series(labels: Record<string, string>): Observe {
    const bounds = this.#bounds;
    const series: Series = { labels, counts: new Float64Array(bounds.length + 1), sum: 0 };
    this.#series.push(series);
    return (value) => {
      let bucket = 0;
      while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket++;
      series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
      series.sum += value;
    };
  }

  /** The registry calls this method, but it is missing from the types. */
  async getForPromString() {
    const { name, help } = this.settings;
    const values = this.#series.flatMap(({ labels, counts, sum }) => {
      let count = 0;
      const buckets = [...counts].map((bucketCount, i) => {
        count += bucketCount;
        const le = this.#bounds[i] ?? "+Inf";
        return { metricName: `${name}_bucket`, labels: { le }, sharedLabels: labels, value: count };
      });
      return [
        ...buckets,
        { metricName: `${name}_sum`, labels: {}, sharedLabels: labels, value: sum },
        { metricName: `${name}_count`, labels: {}, sharedLabels: labels, value: count },
      ];
    });
    return { name, help, type: "histogram", aggregator: "sum", values };
  }
}

/** Caches the result of `make` for each key. Only for a small set of keys. */
export const memo = <K, V>(make: (key: K) => V): ((key: K) => V) => {
  const made = new Map<K, V>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(key);
    made.set(key, value);
    return value;
  };
};
