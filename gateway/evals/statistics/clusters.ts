import { eachOnce } from "./bootstrap";

/** Which cluster each value belongs to. Clusters are independent of each other. */
export interface Clusters {
  count: number;
  /** Some cluster has several values; false: the values themselves are independent. */
  areShared: boolean;
  /** Position of its cluster for each value, from 0. */
  of: Int32Array;
}

/** Group of each value; null: a value that depends on no other. */
export type Groups = readonly (string | null)[];

/** Numbers groups in the order in which they come. A null is a cluster of its own. */
export const clustersOf = (groups: Groups): Clusters => {
  const positions = new Map<string, number>();
  const of = new Int32Array(groups.length);
  let count = 0;
  groups.forEach((group, i) => {
    const known = group === null ? undefined : positions.get(group);
    of[i] = known ?? count++;
    if (group !== null && known === undefined) positions.set(group, of[i] ?? 0);
  });
  return { count, areShared: count < groups.length, of };
};

/** Each of `count` values a cluster of its own. */
export const singletons = (count: number): Clusters => ({ count, areShared: false, of: eachOnce(count) });

/** A bootstrap over more units than this costs time and tells nothing more. */
const MAX_UNITS = 5000;

/**
 * Deals clusters in turn into at most 5,000 heaps, each of which is drawn as one: heaps of independent clusters vary
 * as the clusters do.
 */
export const heapUp = (clusters: Clusters): Clusters => {
  if (clusters.count <= MAX_UNITS) return clusters;
  return { ...clusters, count: MAX_UNITS, of: clusters.of.map((cluster) => cluster % MAX_UNITS) };
};

/** Numbers of values by cluster. */
export const clusterSizes = (clusters: Clusters): Float64Array =>
  sumByCluster(new Float64Array(clusters.of.length).fill(1), clusters);

/** Sums of values by cluster. */
export const sumByCluster = (values: ArrayLike<number>, clusters: Clusters): Float64Array => {
  const sums = new Float64Array(clusters.count);
  clusters.of.forEach((cluster, i) => {
    sums[cluster] = (sums[cluster] ?? 0) + (values[i] ?? 0);
  });
  return sums;
};
