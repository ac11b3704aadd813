import { eachOnce } from "./bootstrap";

/** The cluster of each value. Clusters are independent of each other. */
export interface Clusters {
  count: number;
  /** Whether a cluster has several values. If false, the values themselves are independent. */
  areShared: boolean;
  /** Number of the cluster of each value, from 0. */
  of: Int32Array;
}

/** Group of each value; null for an independent value. */
export type Groups = readonly (string | null)[];

/** Numbers groups in order of appearance. Each null is a separate cluster. */
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

/** `count` values, each a separate cluster. */
export const singletons = (count: number): Clusters => ({ count, areShared: false, of: eachOnce(count) });

/** A bootstrap over more units would take time without better precision. */
const MAX_UNITS = 5000;

/**
 * Merges clusters in turn into at most 5,000 clusters, which are drawn as units. Merged independent clusters vary as the
 * original ones do.
 */
export const limitClusters = (clusters: Clusters): Clusters => {
  if (clusters.count <= MAX_UNITS) return clusters;
  return { ...clusters, count: MAX_UNITS, of: clusters.of.map((cluster) => cluster % MAX_UNITS) };
};

/** Number of values by cluster. */
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
