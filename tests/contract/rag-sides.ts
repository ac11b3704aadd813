import { RagClient } from "../rag-client";
import type { Stack } from "./stack";

/*
 * Two keys, each of which may use one of two indexes with nearly the same texts. Every text of an index has its colour, so
 * that a response shows where it comes from.
 */

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

export const TOPICS = [
  "ferry",
  "bakery",
  "museum",
  "harbour",
  "station",
  "garden",
  "library",
  "market",
  "school",
  "theatre",
];
export const textOf = (topic: string, colour: string) =>
  `# The ${topic}\n\nThe ${topic} opens at seven.\n\nThe code of the ${topic} is ${colour} and it changes on Mondays.`;

export interface Side {
  colour: string;
  index: string;
  name: string;
  keyId: string;
  /** May only use this side's index. */
  client: RagClient;
  /** By source. */
  documents: Map<string, string>;
}

export const createKey = async (stack: Stack, allowed_indexes: string[]) => {
  const response = await stack.call("POST", "/v1/keys", {
    body: { name: "of one index", role: "editor", allowed_indexes },
  });
  const { id, key } = (await response.json()) as { id: string; key: string };
  return { id, key };
};
export const changeKey = (stack: Stack, id: string, allowed_indexes: string[]) =>
  stack.call("PATCH", `/v1/keys/${id}`, { body: { allowed_indexes } });

/** An index whose texts have the colour, and a key for only this index, by the index's id or its name. */
export const createSide = async (stack: Stack, colour: string, by: "id" | "name"): Promise<Side> => {
  const admin = new RagClient(stack.url, stack.adminKey);
  const name = `index-${crypto.randomUUID()}`;
  const index = await admin.createIndex({ name, retrieval: { threshold: null } });
  const texts = TOPICS.map((topic) => ({
    text: textOf(topic, colour),
    source: `${topic}.md`,
    metadata: { topic, colour },
  }));
  const { documents } = await admin.addTexts(index, ...texts);
  await admin.settled(index);
  const { id, key } = await createKey(stack, [by === "id" ? index : name]);
  return {
    colour,
    index,
    name,
    keyId: id,
    client: new RagClient(stack.url, key),
    documents: new Map(documents.map(({ source, id }: Json) => [source, id])),
  };
};

export const createSides = async (stack: Stack): Promise<[Side, Side]> => [
  await createSide(stack, "crimson", "id"),
  await createSide(stack, "azure", "name"),
];

/** Whether a response shows anything of a side. */
export const shows = (response: unknown, { colour, index, documents }: Side): boolean => {
  const text = JSON.stringify(response);
  return [colour, index, ...documents.values()].some((mark) => text.includes(mark));
};
