import { expect, test } from "bun:test";
import fc from "fast-check";
import { chunkOf } from "../../../tests/stored-chunk";
import { mergeChunks } from "./merge";

const TEXT = "One has 30 days.\n\nTwo has 20 days.\n\nThree has 10 days.";

test("overlapping chunks of a document become one context without repeated text", () => {
  const [context, ...others] = mergeChunks([chunkOf(TEXT, 10, 30), chunkOf(TEXT, 0, 20)]);
  expect(others).toEqual([]);
  expect(context).toMatchObject({ number: 1, start: 0, end: 30, text: TEXT.slice(0, 30) });
  expect(context?.chunks.map(({ start }) => start)).toEqual([0, 10]);
});

test("a chunk within another adds no text", () => {
  expect(mergeChunks([chunkOf(TEXT, 5, 10), chunkOf(TEXT, 0, 20)])).toMatchObject([{ text: TEXT.slice(0, 20) }]);
});

test("chunks with only white space between them are joined, and offsets stay those of the document", () => {
  const [first, second] = [chunkOf(TEXT, 0, 16, { position: 0 }), chunkOf(TEXT, 18, 34, { position: 1 })];
  const [context] = mergeChunks([second, first]);
  expect(context?.text).toBe(TEXT.slice(0, 34));
});

test("chunks that are not neighbours stay separate, in order of rank", () => {
  const [first, third] = [chunkOf(TEXT, 0, 16, { position: 0 }), chunkOf(TEXT, 36, 54, { position: 2 })];
  expect(mergeChunks([third, first]).map(({ number, text }) => [number, text])).toEqual([
    [1, "Three has 10 days."],
    [2, "One has 30 days."],
  ]);
});

test("chunks of different documents, or of different revisions of a document, stay separate", () => {
  const chunks = [
    chunkOf(TEXT, 0, 20),
    chunkOf(TEXT, 10, 30, { documentId: "doc_b" }),
    chunkOf(TEXT, 10, 30, { documentHash: "older" }),
  ];
  expect(mergeChunks(chunks).length).toBe(3);
});

test("every context reproduces the document's text for any set of chunks", () => {
  const border = fc.nat(TEXT.length);
  const chunk = fc.tuple(border, border).map(([a, b]) => chunkOf(TEXT, Math.min(a, b), Math.max(a, b)));
  fc.assert(
    fc.property(fc.uniqueArray(chunk, { maxLength: 6, selector: ({ id }) => id }), (chunks) => {
      const contexts = mergeChunks(chunks);
      expect(contexts.flatMap((context) => context.chunks).length).toBe(chunks.length);
      for (const { text, start, end } of contexts) expect(text).toBe(TEXT.slice(start, end));
    }),
  );
});
