import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { databaseOptions, openDb } from "../db/client";
import { groupCommits } from "../db/group-commit";
import { createUploads } from "../gateway/uploads/service";
import { createGatewayClient } from "../jobs/gateway-client";
import { JobLoop } from "../jobs/loop";
import { ragIngest } from "../jobs/rag-ingest";
import { PIPELINE } from "../jobs/rag-pipeline";
import { silentLog } from "../lib/log";
import { defaultConfig } from "../lib/settings";
import { ADMIN_KEY, Stack, type StackOptions } from "../tests/harness";
import { RagClient } from "../tests/rag-client";
import { cpuMs } from "./processes";

const ROOT = join(import.meta.dir, "..");
const CORPORA = join(ROOT, "../shared/data");
const DOCUMENTS = 2500;
/** Documents per upload request. */
const BATCH = 500;
/** Texts per embedding request when the embedder is measured alone. */
const EMBEDDED = 64;
const POLL_MS = 500;
const MAX_FILE_BYTES = 1_000_000;

interface Source {
  source: string;
  title?: string;
  text: string;
}

/**
 * Ingestion of many short documents, with the default model, and with a synthetic one that responds instantly, to
 * measure everything else. Gateway and node are separate processes; the worker runs in this one. Option: the number of
 * documents.
 */
export const ingestion = async ([limit = String(DOCUMENTS)]: string[]) => {
  const sources = (await readSources()).slice(0, Number(limit));
  return { withoutModel: await ingest(sources, "synthetic"), withModel: await ingest(sources, "llama") };
};

const ingest = async (sources: readonly Source[], engine: StackOptions["engine"]) => {
  const stack = await Stack.start({ engine, env: { GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000" } });
  try {
    const client = new RagClient(stack.url, ADMIN_KEY);
    const index = await client.createIndex();
    for (let from = 0; from < sources.length; from += BATCH) {
      await client.addTexts(index, ...sources.slice(from, from + BATCH));
    }
    const { measured, searchTexts } = await work(stack, client, index);
    const embedSeconds = await embedAlone(stack, searchTexts);
    const embedderShare = rounded(embedSeconds / measured.seconds);
    return { ...measured, embedderAloneSeconds: rounded(embedSeconds), embedderShare };
  } finally {
    await stack.stop();
  }
};

/** Runs a worker until every document is searchable, and measures each stage. */
const work = async (stack: Stack, client: RagClient, index: string) => {
  const log = silentLog();
  const config = { ...defaultConfig(), dataDir: join(stack.folder, "data") };
  const stages = new Stages();
  const searchTexts: string[] = [];
  const db = await openDb(databaseOptions(config), log);
  const timedDb = Object.assign(Object.create(db) as typeof db, { write: stages.timed("commit", db.write) });
  const measuredDb = groupCommits(timedDb);
  const gateway = createGatewayClient({ url: stack.url, token: () => loop.workerToken });
  const handler = ragIngest({
    db: measuredDb,
    log,
    uploads: createUploads({ db: measuredDb, maxBytes: MAX_FILE_BYTES }),
    extract: stages.timed("extract", PIPELINE.extract),
    chunk: stages.timed("chunk", PIPELINE.chunk),
    gateway: {
      embed: stages.timed("embed", (caller, model, texts) => {
        searchTexts.push(...texts);
        return gateway.embed(caller, model, texts);
      }),
      countTokens: stages.timed("tokenize", gateway.countTokens),
    },
  });
  const loop: JobLoop = new JobLoop({ db: measuredDb, log, leaseMs: 30_000, handlers: [handler] });
  const cpuBefore = [process.pid, stack.gateway.pid, stack.node.pid].map(cpuMs);
  const startedAt = performance.now();
  try {
    await loop.open();
    const { documents, failed_documents: failed, chunks } = await settled(client, index);
    const seconds = (performance.now() - startedAt) / 1000;
    const cpuAfter = [process.pid, stack.gateway.pid, stack.node.pid].map(cpuMs);
    const [worker, gatewayCpu, node] = cpuAfter.map((ms, at) => rounded((ms - (cpuBefore[at] ?? 0)) / 1000));
    const measured = {
      documents,
      failed,
      chunks,
      seconds: rounded(seconds),
      documentsPerSecond: rounded(documents / seconds),
      chunksPerSecond: rounded(chunks / seconds),
      cpuSeconds: { worker, gateway: gatewayCpu, node },
      stages: stages.report(seconds),
    };
    return { measured, searchTexts };
  } finally {
    await loop.close(0);
    await db.close();
  }
};

/** Polls with pauses, because each read of an index takes CPU time from ingestion. */
const settled = async (client: RagClient, index: string) => {
  for (;;) {
    const found = await client.read(`/${index}`);
    if (found.ingestion?.ended_at !== null && found.status !== "ingesting") return found;
    await Bun.sleep(POLL_MS);
  }
};

/** Calls and active time by stage. A stage is active while at least one document is in it. */
class Stages {
  readonly #stages = new Map<string, { calls: number; running: number; activeMs: number; since: number }>();

  timed<Args extends unknown[], T>(name: string, work: (...args: Args) => Promise<T>) {
    return async (...args: Args): Promise<T> => {
      const stage = this.#stages.getOrInsertComputed(name, () => ({ calls: 0, running: 0, activeMs: 0, since: 0 }));
      stage.calls++;
      if (stage.running++ === 0) stage.since = performance.now();
      try {
        return await work(...args);
      } finally {
        if (--stage.running === 0) stage.activeMs += performance.now() - stage.since;
      }
    };
  }

  report(seconds: number) {
    return Object.fromEntries(
      Array.from(this.#stages, ([name, { calls, activeMs }]) => [
        name,
        { calls, share: rounded(activeMs / 1000 / seconds) },
      ]),
    );
  }
}

/** Seconds to embed the same texts through `/v1/embeddings`, without the cache and with two requests in parallel. */
const embedAlone = async (stack: Stack, texts: readonly string[]): Promise<number> => {
  const startedAt = performance.now();
  const left = [...texts];
  const client = async () => {
    while (left.length > 0) {
      const input = left.splice(0, EMBEDDED);
      const headers = { "cache-control": "no-cache, no-store" };
      const response = await stack.fetch("/v1/embeddings", { body: { input, encoding_format: "base64" }, headers });
      if (!response.ok) throw new Error(await response.text());
      await response.arrayBuffer();
    }
  };
  await Promise.all([client(), client()]);
  return (performance.now() - startedAt) / 1000;
};

/** Passages of the labelled corpora, if present, and sections of this repository's documentation. */
const readSources = async (): Promise<Source[]> => {
  const names = (await readdir(CORPORA).catch(() => [])).filter((name) => /^retrieval_.*_corpus\.jsonl$/.test(name));
  const passages = await Promise.all(
    names.map(async (name) => {
      const rows = (await Bun.file(join(CORPORA, name)).text()).trim().split("\n");
      return rows.map((row): Source => {
        const { id, title, text } = JSON.parse(row);
        return { source: id, title: title?.trim() ? title : undefined, text };
      });
    }),
  );
  const glob = new Bun.Glob("{docs,bench,tests}/**/*.md");
  const pages = await Promise.all(
    Array.from(glob.scanSync(ROOT))
      .toSorted()
      .map(async (path) => {
        const sections = (await Bun.file(join(ROOT, path)).text()).split(/^(?=## )/m);
        return sections.map((text, at): Source => ({ source: `${path} ${at}`, text }));
      }),
  );
  return interleaved([...passages, pages.flat()]).filter(({ text }) => text.trim() !== "");
};

/** Takes from each list in turn, so that a small number of documents contains some of each kind. */
const interleaved = <T>(lists: readonly T[][]): T[] =>
  Array.from({ length: Math.max(...lists.map(({ length }) => length)) }, (_, at) =>
    lists.flatMap((list) => list.slice(at, at + 1)),
  ).flat();

const rounded = (value: number): number => Number(value.toFixed(3));
