import { Database } from "bun:sqlite";
import { clusteredVectors, seededRandom } from "../tests/random";

/*
 * Synthetic chunks in a SQLite file: `bun bench/search-data.ts FILE CHUNKS`. Runs in a separate process, so that its
 * memory isn't counted.
 */

export const DIMENSION = 384;
export const CHUNKS_PER_DOCUMENT = 10;
const CLUSTERS = 2000;
const WORDS_PER_CHUNK = 120;
const VOCABULARY = 150_000;

/** Words whose frequency is 1/rank (Zipf): a few are in every chunk, half of them occur a few times at most. */
export const zipfWords = (random: () => number) => (): string =>
  `w${Math.floor(VOCABULARY ** random()).toString(36)}${["", "s", "ing", "ation"][Math.floor(random() ** 4 * 4)]}`;

export const textOf = (word: () => string, count: number): string => Array.from({ length: count }, word).join(" ");

/** The same centres in every process. */
export const vectors = (seed: number): (() => Float32Array) => {
  const centres = clusteredVectors(DIMENSION, CLUSTERS, seededRandom(1));
  const random = seededRandom(seed);
  for (let i = 0; i < Math.floor(random() * 1000) + seed; i++) centres();
  return centres;
};

export const writeChunks = (path: string, count: number): void => {
  const database = new Database(path, { create: true });
  database.run("PRAGMA journal_mode = OFF");
  database.run("PRAGMA synchronous = OFF");
  database.run(
    "CREATE TABLE chunks (id TEXT, document INTEGER, text TEXT, vector BLOB, half INTEGER, percent INTEGER)",
  );
  const insert = database.query("INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?)");
  const random = seededRandom(2);
  const word = zipfWords(random);
  const nextVector = vectors(3);
  database.transaction(() => {
    for (let i = 0; i < count; i++) {
      const vector = nextVector();
      const document = 1 + Math.floor(i / CHUNKS_PER_DOCUMENT);
      const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
      const half = random() < 0.5 ? 1 : 0;
      insert.run(
        `chunk_${i.toString(36).padStart(26, "0")}`,
        document,
        textOf(word, WORDS_PER_CHUNK),
        bytes,
        half,
        Math.floor(random() * 100),
      );
    }
  })();
  database.run("CREATE INDEX by_document ON chunks (document)");
  database.close();
};

const [path, count] = process.argv.slice(2);
if (import.meta.main && path) writeChunks(path, Number(count));
