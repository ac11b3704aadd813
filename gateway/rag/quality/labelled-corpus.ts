import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { AppError, toAppError } from "../../../lib/errors";
import { invalidRequest } from "../../validation/problems";

const Passage = Type.Object({
  id: Type.String({ minLength: 1 }),
  title: Type.Optional(Type.String()),
  text: Type.String({ minLength: 1 }),
});
type Passage = Static<typeof Passage>;

/** `unanswerable_near`: a passage covers the topic but doesn't answer the question. `off_corpus`: none covers the topic. */
const LabelledQuery = Type.Object({
  id: Type.String({ minLength: 1 }),
  query: Type.String({ minLength: 1 }),
  kind: Type.Union([Type.Literal("answerable"), Type.Literal("unanswerable_near"), Type.Literal("off_corpus")]),
  /** Ids of passages. */
  relevant: Type.Array(Type.String()),
});
export type LabelledQuery = Static<typeof LabelledQuery>;

/** Passages and questions about them, labelled by people. */
export interface LabelledCorpus {
  name: string;
  passages: Passage[];
  queries: LabelledQuery[];
}

const FILE_NAME = /^retrieval_(.+)_corpus\.jsonl$/;

/**
 * Reads every pair of retrieval_NAME_corpus.jsonl and retrieval_NAME_queries.jsonl in a folder, sorted by name. Throws
 * not_found if there is no pair, and dataset_invalid for the first invalid line.
 */
export const readLabelledCorpora = async (folder: string): Promise<LabelledCorpus[]> => {
  const files = await readdir(folder).catch((cause) => {
    throw new AppError("not_found", `The folder ${folder} can't be read.`, { cause });
  });
  const names = files.flatMap((file) => FILE_NAME.exec(file)?.[1] ?? []).sort();
  if (names.length === 0) {
    const wanted = "Name a folder with retrieval_NAME_corpus.jsonl and retrieval_NAME_queries.jsonl.";
    throw new AppError("not_found", `${folder} has no corpus. ${wanted}`);
  }
  return Promise.all(names.map((name) => readCorpus(folder, name)));
};

const readCorpus = async (folder: string, name: string): Promise<LabelledCorpus> => {
  const passages = await readLines(Passage, folder, `retrieval_${name}_corpus.jsonl`);
  const queries = await readLines(LabelledQuery, folder, `retrieval_${name}_queries.jsonl`);
  const known = new Set(passages.map(({ id }) => id));
  for (const { id, kind, relevant } of queries) {
    const problem =
      (kind === "answerable") !== relevant.length > 0
        ? `is ${kind} but has ${relevant.length} relevant passages`
        : relevant.some((passage) => !known.has(passage)) && "names a passage that the corpus doesn't have";
    if (problem) throw invalid(`The query "${id}" of ${name} ${problem}.`);
  }
  return { name, passages, queries };
};

const readLines = async <T extends TSchema>(schema: T, folder: string, file: string): Promise<Static<T>[]> => {
  const source = Bun.file(join(folder, file));
  if (!(await source.exists())) throw new AppError("not_found", `${folder} has no ${file}.`);
  const rows: Static<T>[] = [];
  for (const [index, line] of (await source.text()).split("\n").entries()) {
    if (line.trim() === "") continue;
    try {
      const row: unknown = JSON.parse(line);
      if (!Value.Check(schema, row)) throw invalidRequest(Value.Errors(schema, row));
      rows.push(row);
    } catch (thrown) {
      const reason = thrown instanceof SyntaxError ? "Expected a JSON object." : toAppError(thrown).message;
      throw invalid(`${file}, line ${index + 1}: ${reason}`);
    }
  }
  const ids = new Set(rows.map((row) => (row as { id: string }).id));
  if (rows.length === 0) throw invalid(`${file} has no rows.`);
  if (ids.size < rows.length) throw invalid(`${file} uses an id twice. Give each row its own.`);
  return rows;
};

const invalid = (message: string): AppError => new AppError("dataset_invalid", message);
