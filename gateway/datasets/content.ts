import type { SampleRow } from "../../db/samples";
import { canonicalHash } from "../../lib/canonical-json";
import { fromRow, toRow as toColumns } from "../wire";
import { type NewSample, type Sample, SampleFields } from "./sample-contract";

export type SampleContent = Omit<Sample, "id" | "key" | "hash">;
/** A sample without the fields that the database adds. */
export type KeyedContent = SampleContent & { key: string };

/** The content of an uploaded sample, with every field set. */
export const toContent = (sample: NewSample): SampleContent => {
  const { input, references = [], contexts = [], output = null, group = null, tags = [], metadata = {} } = sample;
  const { expected_tool_calls = null, tools = null, tool_choice = null } = sample;
  return {
    ...{ input, references, contexts, output, group, tags, metadata },
    ...{ expected_tool_calls, tools, tool_choice },
  };
};

/** The content of a stored sample. */
export const contentOf = (row: Omit<SampleRow, "id" | "hash">): SampleContent => fromRow(SampleFields, row);

/** A sample, or its content, as it would be uploaded: fields without a value are omitted. */
export const toNewSample = ({
  key,
  input,
  references,
  contexts,
  output,
  group,
  tags,
  metadata,
  expected_tool_calls,
  tools,
  tool_choice,
}: SampleContent & { key?: string }): NewSample => ({
  ...(key !== undefined && { key }),
  input,
  ...(references.length > 0 && { references }),
  ...(contexts.length > 0 && { contexts }),
  ...(output !== null && { output }),
  ...(group !== null && { group }),
  ...(tags.length > 0 && { tags }),
  ...(Object.keys(metadata).length > 0 && { metadata }),
  ...(expected_tool_calls !== null && { expected_tool_calls }),
  ...(tools !== null && { tools }),
  ...(tool_choice !== null && { tool_choice }),
});

/**
 * sha256 in hex over the canonical JSON of the content, without the key and regardless of the order of the tags. Fields
 * without a value are omitted, so that adding a field later doesn't change existing hashes.
 */
export const contentHash = (content: SampleContent): string => {
  const { key: _, ...sample } = toNewSample(content);
  return canonicalHash({ ...sample, tags: sample.tags?.toSorted() });
};

/** The key for a sample without one: the first 32 digits of its hash. */
export const keyOfContent = (hash: string): string => hash.slice(0, 32);

/** Whether a key could come from `keyOfContent`. */
export const isKeyOfContent = (key: string): boolean => /^[0-9a-f]{32}$/.test(key);

/**
 * sha256 in hex over keys and content hashes, sorted by the keys' UTF-8 bytes, as `listHashes` returns them. The
 * upload's order doesn't matter: the same samples with the same keys give the same hash everywhere.
 */
export const revisionHash = async (
  members: AsyncIterable<{ key: string; hash: string }> | Iterable<{ key: string; hash: string }>,
): Promise<string> => {
  const hasher = new Bun.CryptoHasher("sha256");
  // JSON has no line breaks, so a key can't spill into the next line.
  for await (const { key, hash } of members) hasher.update(`${JSON.stringify(key)} ${hash}\n`);
  return hasher.digest("hex");
};

/** A question, or a chat's messages as one string. */
export const textOfInput = (input: NewSample["input"]): string =>
  typeof input === "string" ? input : input.map(({ role, content }) => `${role}: ${textOfContent(content)}`).join("\n");

const textOfContent = (content: Extract<NewSample["input"], unknown[]>[number]["content"]): string => {
  if (!content) return "";
  return typeof content === "string" ? content : content.map(({ text }) => text).join("\n");
};

/** Samples are identified by their content: identical samples share one row across all datasets and runs. */
export const toRow = ({ key: _, hash, ...content }: KeyedContent & { hash: string }): SampleRow => ({
  id: `sample_${hash.slice(0, 32)}`,
  hash,
  ...toColumns(SampleFields, content),
});

export const sampleRow = (sample: NewSample): { key: string; row: SampleRow } => {
  const content = toContent(sample);
  const hash = contentHash(content);
  const key = sample.key ?? keyOfContent(hash);
  return { key, row: toRow({ ...content, key, hash }) };
};
