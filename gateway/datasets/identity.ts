import type { SampleRow } from "../../db/samples";
import { contentHash, type KeyedContent, keyOfContent, toContent } from "./content";
import type { NewSample } from "./contract";

/** A sample is its content: the same content is one row, whichever datasets and runs hold it. */
export const toRow = ({ key: _, hash, ...content }: KeyedContent & { hash: string }): SampleRow => ({
  id: `sample_${hash.slice(0, 32)}`,
  hash,
  ...content,
});

/** The row of a sample that is written out, and the key that names it where it is kept. */
export const sampleRow = (sample: NewSample): { key: string; row: SampleRow } => {
  const content = toContent(sample);
  const hash = contentHash(content);
  const key = sample.key ?? keyOfContent(hash);
  return { key, row: toRow({ ...content, key, hash }) };
};
