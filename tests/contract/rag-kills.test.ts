import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { createClient } from "@libsql/client";
import { until } from "../until";
import { type Stack, startStack } from "./stack";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({}, { hasWorker: false });
  await until("the node has reported its models", async () => {
    const { data } = (await (await stack.call("GET", "/v1/models")).json()) as Json;
    return data.length > 0;
  });
});
afterAll(() => stack.close());

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

const ROUNDS = 12;
const PARAGRAPHS = 150;
const DOCUMENTS = ["a.md", "b.md", "c.md"];

const call = async (method: string, path: string, body?: unknown): Promise<Json> => {
  const response = await stack.call(method, `/v1/rag/indexes${path}`, { body });
  const text = await response.text();
  expect([method, path, response.ok, text]).toEqual([method, path, true, text]);
  return JSON.parse(text || "{}");
};

/** A change that is refused while an earlier version is being built. */
const attempt = async (path: string, body?: unknown): Promise<void> => {
  const { status } = await stack.call("POST", `/v1/rag/indexes${path}`, { body });
  expect([200, 202, 409]).toContain(status);
};

/** Content `n` of a document. Half of its paragraphs are the same in every content. */
const textOf = (source: string, n: number): string =>
  Array.from({ length: PARAGRAPHS }, (_, p) => (p % 2 ? `Kept ${p} of ${source}.` : `Paragraph ${p} of ${n}.`)).join(
    "\n\n",
  );

const startWorker = async () => {
  const script = join(import.meta.dir, "../rag-worker.ts");
  const child = Bun.spawn([process.execPath, script, stack.dataDir, stack.url], { stdout: "pipe", stderr: "inherit" });
  await child.stdout.getReader().read();
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
};

const query = async (sql: string): Promise<Json[]> => {
  const client = createClient({ url: `file:${stack.dataDir}/groundwire.db` });
  const { rows } = await client.execute(sql);
  client.close();
  return rows;
};

/** Every visible build has each chunk of one content once, in order, each with its vector. */
const assertWhole = async (): Promise<void> => {
  const rows = await query(`
    SELECT b.id, b.content_hash AS hash, b.chunks AS expected, COUNT(c.id) AS chunks, COUNT(v.chunk_id) AS vectors,
      COUNT(DISTINCT c.position) AS places, MAX(c.position) AS last, GROUP_CONCAT(c.text, char(10) || char(10)) AS text
    FROM document_builds AS b
    LEFT JOIN (SELECT * FROM chunks ORDER BY build_id, position) AS c ON c.build_id = b.id
    LEFT JOIN chunk_vectors AS v ON v.chunk_id = c.id
    WHERE b.state = 'visible' GROUP BY b.id`);
  for (const { hash, expected, chunks, vectors, places, last, text } of rows) {
    expect([expected, chunks, vectors, places, last]).toEqual(
      Array(4)
        .fill(PARAGRAPHS)
        .concat(PARAGRAPHS - 1),
    );
    expect(new Bun.CryptoHasher("sha256").update(text).digest("hex")).toBe(hash);
  }
  const stray = await query("SELECT COUNT(*) AS n FROM chunk_vectors WHERE chunk_id NOT IN (SELECT id FROM chunks)");
  expect(stray[0].n).toBe(0);
};

test("kill -9 during ingestion, replacement, deletion and version switch leaves every document whole", async () => {
  const { id } = await call("POST", "", { name: "killed" });
  for (let round = 0; round < ROUNDS; round++) {
    await using _killed = await startWorker();
    const documents = DOCUMENTS.map((source) => ({ source, text: textOf(source, round) }));
    const added = await call("POST", `/${id}/documents`, { documents });
    if (round % 4 === 1) {
      await attempt(`/${id}/versions`, { chunking: { chunk_tokens: 64 + round, overlap_tokens: 0 } });
    }
    if (round % 4 === 2) await call("DELETE", `/${id}/documents/${added.documents[0].id}`);
    if (round % 4 === 3) await attempt(`/${id}/versions/2/activate`);
    // Each kill comes at a different point: after a different number of chunks have been written since the request.
    const from = (await query("SELECT MAX(rowid) AS n FROM chunks"))[0].n ?? 0;
    const enough = 1 + ((round * 97) % (2 * PARAGRAPHS));
    await until("some chunks are written", async () => {
      const [{ n }] = await query("SELECT MAX(rowid) AS n FROM chunks");
      return (n ?? 0) >= from + enough || (await call("GET", `/${id}`)).status !== "ingesting";
    });
    await _killed[Symbol.asyncDispose]();
    await assertWhole();
  }

  await using _last = await startWorker();
  const documents = DOCUMENTS.map((source) => ({ source, text: textOf(source, ROUNDS) }));
  await call("POST", `/${id}/documents`, { documents });
  await until("everything is ingested and swept", async () => {
    const index = await call("GET", `/${id}`);
    const [{ n }] = await query("SELECT COUNT(*) AS n FROM document_builds WHERE state IN ('staging', 'replaced')");
    return index.status === "ready" && index.building === null && n === 0;
  });
  await assertWhole();
  const index = await call("GET", `/${id}`);
  expect([index.documents, index.failed_documents, index.chunks]).toEqual([3, 0, 3 * PARAGRAPHS]);
  const { data } = await call("GET", `/${id}/documents`);
  for (const { id: document, source } of data) {
    expect((await call("GET", `/${id}/documents/${document}/text`)).text).toBe(textOf(source, ROUNDS));
  }
  const [{ n }] = await query("SELECT COUNT(*) AS n FROM chunks");
  const [{ visible }] = await query("SELECT SUM(chunks) AS visible FROM document_builds WHERE state = 'visible'");
  expect(n).toBe(visible);
}, 120_000);
