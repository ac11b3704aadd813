import { Database } from "bun:sqlite";
import type { SearchEntry } from "../gateway/rag/search/search";
import { type ChangePage, serveSearch } from "../gateway/rag/search/serve-search";

/* Entry point of the benchmark's search Worker: reads the chunks of bench/search-data.ts, 40 documents a page. */

const PAGE_DOCUMENTS = 40;
const [path = ""] = process.argv.slice(-1);

interface Row {
  id: string;
  document: number;
  text: string;
  vector: Uint8Array;
  half: number;
  percent: number;
}

let select: ReturnType<Database["query"]> | undefined;

serveSearch(
  async (_index, _version, afterRevision): Promise<ChangePage> => {
    select ??= new Database(path, { readonly: true }).query(
      "SELECT * FROM chunks WHERE document > ? AND document <= ?",
    );
    const revision = afterRevision + PAGE_DOCUMENTS;
    const entries = new Map<number, SearchEntry[]>();
    for (const row of select.all(afterRevision, revision) as Row[]) {
      const entry = {
        id: row.id,
        text: row.text,
        title: "",
        heading: "",
        vector: new Float32Array(row.vector.buffer, row.vector.byteOffset, row.vector.byteLength / 4),
        metadata: { half: row.half === 1, percent: row.percent },
      };
      entries.getOrInsertComputed(row.document, () => []).push(entry);
    }
    const documents = [...entries].map(([id, chunks]) => ({ id: `doc_${id}`, entries: chunks }));
    return { revision, documents, isLast: documents.length < PAGE_DOCUMENTS };
  },
  { findUse: async () => "active" },
);
