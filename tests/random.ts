import { normalise } from "../lib/vectors";

/** mulberry32: the same numbers from 0 to 1 in every run. */
export const seededRandom = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};

/** L2-normalised vectors around random centres: the cosine of a vector and its centre is about 0.75. */
export const clusteredVectors = (dimension: number, clusters: number, random: () => number): (() => Float32Array) => {
  const noise = () => (random() + random() + random() + random() - 2) * Math.sqrt(3 / dimension);
  const centres = Array.from({ length: clusters }, () => normalise(Float32Array.from({ length: dimension }, noise)));
  return () => {
    const centre = centres[Math.floor(random() * clusters)] ?? [];
    return normalise(Float32Array.from(centre, (value) => value + 0.9 * noise()));
  };
};
