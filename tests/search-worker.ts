import { readFileSync } from "node:fs";
import { type ChangePage, serveSearch, type VersionUse } from "../gateway/rag/search/serve-search";

/* Entry point of a search Worker for tests: reads its changes from the JSON file of its first argument. */

const [path = ""] = process.argv.slice(-1);

/** Pages by `index@version`. */
export type ChangesFile = Record<string, FilePage[]>;
interface FilePage {
  revision: number;
  documents: { id: string; entries: { id: string; text: string; vector: number[] }[] }[];
  /** Ends the Worker while it loads this page. */
  crash?: boolean;
  /** On the first page: how the version is used; active if omitted. */
  use?: VersionUse;
}

const CHECK_MS = 20;
const pagesOf = (index: string, version: number): FilePage[] =>
  (JSON.parse(readFileSync(path, "utf8")) as ChangesFile)[`${index}@${version}`] ?? [];

const loadPage = async (index: string, version: number, afterRevision: number): Promise<ChangePage> => {
  const pages = pagesOf(index, version).filter(({ revision }) => revision > afterRevision);
  const [page] = pages;
  if (page?.crash) process.exit(1);
  const documents = (page?.documents ?? []).map(({ id, entries }) => ({
    id,
    entries: entries.map((entry) => ({
      ...entry,
      title: "",
      heading: "",
      metadata: { document: id },
      vector: Float32Array.from(entry.vector),
    })),
  }));
  return { revision: page?.revision ?? afterRevision, documents, isLast: pages.length < 2 };
};

const findUse = async (index: string, version: number): Promise<VersionUse> =>
  pagesOf(index, version)[0]?.use ?? "active";

serveSearch(loadPage, { findUse, checkMs: CHECK_MS });
