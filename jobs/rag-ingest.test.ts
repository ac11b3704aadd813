import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { listDoomedBuilds } from "../db/builds";
import { listChunks } from "../db/chunks";
import type { Db } from "../db/client";
import { type DocumentRow, findDocument } from "../db/documents";
import { groupCommits } from "../db/group-commit";
import { findVersion, insertVersion, updateVersion } from "../db/indexes";
import { findJob, requestCancel } from "../db/jobs";
import { chunks as chunkTable, documentBuilds, tasks } from "../db/schema";
import { findUpload } from "../db/uploads";
import { createDocuments } from "../gateway/rag/indexes/documents";
import type { NewFile } from "../gateway/rag/indexes/plan";
import { createIndexes } from "../gateway/rag/indexes/service";
import { createVersions } from "../gateway/rag/indexes/versions";
import { createUploads } from "../gateway/uploads/service";
import { AppError } from "../lib/errors";
import { silentLog } from "../lib/log";
import { normalise } from "../lib/vectors";
import { temporaryDb } from "../tests/db/temporary";
import { PRINCIPAL } from "../tests/principal";
import { standIn } from "../tests/rag-stand-in";
import { until } from "../tests/until";
import type { EmbeddingClient } from "./gateway-client";
import { JobLoop } from "./loop";
import { ragBuild } from "./rag-build";
import { ragIngest } from "./rag-ingest";

let db: Db;
let loops: JobLoop[] = [];
let indexId: string;
beforeEach(async () => {
  db = await temporaryDb();
  indexId = (await services().indexes.create(PRINCIPAL, { name: "handbook" })).id;
});
afterEach(async () => {
  for (const loop of loops) await loop.close(0);
  loops = [];
  await db.close();
});

const model = { id: "small", revision: "1", isKnown: true, dimensions: 2 };
const models = { resolve: () => model, get: () => ({ context_window: 512 }) } as never;
const services = () => {
  const uploads = createUploads({ db, maxBytes: 1_000_000 });
  const indexes = createIndexes({ db, forget: async () => {}, models });
  const documents = createDocuments({ db, indexes, uploads });
  return { uploads, indexes, documents, versions: createVersions({ db, indexes, models }) };
};

/** Adds texts by source. Resolves with the ids of the documents and the job. */
const add = async (texts: Record<string, string>): Promise<{ ids: string[]; job: string }> => {
  const { uploads, documents } = services();
  const names = Object.entries(texts).map(([fileName, text]) => ({ fileName, text }));
  const stored = await uploads.receiveTexts(names, PRINCIPAL.keyId);
  const files = stored.map(({ id, sha256 }, index): NewFile => {
    const fileName = names[index]?.fileName ?? "";
    const content = { fileName, title: fileName, source: fileName, mediaType: null, metadata: {} };
    return { content, uploadId: id, hash: sha256 };
  });
  const added = await documents.submit(PRINCIPAL, indexId, { files }, (make) => make(async () => {}));
  return { ids: added.documents.map(({ id }) => id), job: added.ingestion?.job_id ?? "" };
};

/** A gateway that records what it embeds. */
const fakeGateway = (own: Partial<EmbeddingClient> = {}) => {
  const embedded: string[] = [];
  const gateway: EmbeddingClient = {
    async embed(_, __, texts) {
      embedded.push(...texts);
      return { vectors: texts.map((text) => normalise([text.length, 1])), revision: "1" };
    },
    countTokens: async (_, __, texts) => texts.map(({ length }) => length),
    ...own,
  };
  return { gateway, embedded };
};

const work = async (gateway: EmbeddingClient, pipeline = standIn): Promise<JobLoop> => {
  const grouped = groupCommits(db);
  const deps = { ...pipeline, db: grouped, uploads: services().uploads, gateway, log: silentLog() };
  const loop = new JobLoop({
    db: grouped,
    log: silentLog(),
    leaseMs: 30_000,
    handlers: [ragIngest(deps), ragBuild(deps)],
  });
  loops.push(loop);
  await loop.open();
  return loop;
};

const document = async (id: string): Promise<DocumentRow> => {
  const row = await findDocument(db, indexId, id);
  if (!row) throw new Error(`There is no document ${id}.`);
  return row;
};
const settled = (id: string) =>
  until(`${id} is settled`, async () => ["ready", "failed", "cancelled"].includes((await document(id)).state));
const textsOf = async (id: string, version = 1): Promise<string[]> =>
  (await listChunks(db, { indexId, version, documentId: id }, { limit: 100 })).map(({ text }) => text);
/** A promise that a test resolves to let work continue. */
const gate = () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: resolve };
};

describe("ingestion", () => {
  test("embeds only chunks whose text has changed", async () => {
    const { gateway, embedded } = fakeGateway();
    await work(gateway);
    const { ids } = await add({ "a.md": "Kept.\n\nOld.\n\nKept too." });
    await settled(ids[0] as string);
    embedded.length = 0;
    await add({ "a.md": "New.\n\nKept.\n\nKept too." });
    await settled(ids[0] as string);
    expect(embedded).toEqual(["a.md\nNew."]);
    expect(await textsOf(ids[0] as string)).toEqual(["New.", "Kept.", "Kept too."]);
  });

  test("is repeated by the next worker if one stops, without duplicate chunks", async () => {
    const held = gate();
    let batches = 0;
    const { gateway } = fakeGateway();
    const stuck = fakeGateway({
      async embed(caller, name, texts) {
        if (++batches === 1) return gateway.embed(caller, name, texts);
        held.open();
        return new Promise((_, reject) => caller.signal.addEventListener("abort", () => reject(caller.signal.reason)));
      },
    });
    const text = Array.from({ length: 100 }, (_, n) => `Paragraph ${n}.`).join("\n\n");
    const first = await work(stuck.gateway);
    const { ids } = await add({ "a.md": text });
    await held.passed;
    expect([await db.$count(chunkTable), await textsOf(ids[0] as string)]).toEqual([64, []]);
    await first.close(0);
    loops = [];
    await work(gateway);
    await settled(ids[0] as string);
    expect([await db.$count(chunkTable), (await textsOf(ids[0] as string)).length]).toEqual([100, 100]);
    expect(await db.$count(documentBuilds)).toBe(1);
  });

  test("sends short documents together, and an unusable one fails by itself", async () => {
    const { gateway, embedded } = fakeGateway();
    const names = Array.from({ length: 30 }, (_, n) => `${n}.md`);
    const held = gate();
    let [requests, counted] = [0, 0];
    const slow = fakeGateway({
      async embed(...call) {
        requests++;
        await held.passed;
        return gateway.embed(...call);
      },
      async countTokens(...call) {
        counted += call[2].length;
        if (counted === names.length - 1) held.open();
        return gateway.countTokens(...call);
      },
    });
    await work(slow.gateway);
    const { ids, job } = await add(
      Object.fromEntries(names.map((name, n) => [name, n === 7 ? "unreadable" : `Text ${n}.`])),
    );
    await until("the job has ended", async () => (await findJob(db, job))?.endedAt != null);
    const states = await Promise.all(ids.map(async (id) => (await document(id)).state));
    expect(states).toEqual(names.map((_, n) => (n === 7 ? "failed" : "ready")));
    expect([embedded.length, await db.$count(chunkTable)]).toEqual([29, 29]);
    expect(requests).toBeLessThan(20);
  });

  test("does not publish content that a newer request replaces", async () => {
    const [begun, held] = [gate(), gate()];
    const { gateway, embedded } = fakeGateway();
    const slow = fakeGateway({
      async embed(caller, name, texts) {
        if (texts[0] === "a.md\nOld.") {
          begun.open();
          await held.passed;
        }
        return gateway.embed(caller, name, texts);
      },
    });
    await work(slow.gateway);
    const old = await add({ "a.md": "Old." });
    await begun.passed;
    await add({ "a.md": "New." });
    await settled(old.ids[0] as string);
    held.open();
    await until("the old job has ended", async () => (await findJob(db, old.job))?.endedAt != null);
    expect((await findJob(db, old.job))?.state).toBe("completed");
    expect([await textsOf(old.ids[0] as string), embedded]).toEqual([["New."], ["a.md\nNew.", "a.md\nOld."]]);
  });

  test("adds the document to a version whose build started during embedding", async () => {
    const [begun, held] = [gate(), gate()];
    const { gateway } = fakeGateway();
    const slow = fakeGateway({
      async embed(...call) {
        begun.open();
        await held.passed;
        return gateway.embed(...call);
      },
    });
    await work(slow.gateway);
    const { ids } = await add({ "a.md": "One." });
    await begun.passed;
    const current = await findVersion(db, indexId, 1);
    if (!current) throw new Error("There is no version.");
    await db.write((tx) => insertVersion(tx, { ...current, version: 2 }));
    held.open();
    await settled(ids[0] as string);
    expect([await textsOf(ids[0] as string, 1), await textsOf(ids[0] as string, 2)]).toEqual([["One."], ["One."]]);
  });

  test("adds nothing to a version that is retired while the document is embedded", async () => {
    const [begun, held] = [gate(), gate()];
    const { gateway } = fakeGateway();
    let calls = 0;
    const slow = fakeGateway({
      async embed(...call) {
        if (++calls === 2) {
          begun.open();
          await held.passed;
        }
        return gateway.embed(...call);
      },
    });
    const current = await findVersion(db, indexId, 1);
    if (!current) throw new Error("There is no version.");
    await db.write((tx) => insertVersion(tx, { ...current, version: 2 }));
    await work(slow.gateway);
    const { ids, job } = await add({ "a.md": "One." });
    await begun.passed;
    await db.write((tx) => updateVersion(tx, { indexId, version: 2 }, { state: "retired" }));
    held.open();
    await until("the job has ended", async () => (await findJob(db, job))?.endedAt != null);
    expect([await textsOf(ids[0] as string, 1), await textsOf(ids[0] as string, 2)]).toEqual([["One."], []]);
    await until("only one build is left", async () => (await db.$count(documentBuilds)) === 1);
  });

  test.each([
    ["another revision of the model", { vectors: [normalise([1, 1])], revision: "2" }, "The nodes have revision 2"],
    [
      "vectors of a different length",
      { vectors: [normalise([1, 1, 1])], revision: "1" },
      "vectors of a different length",
    ],
  ])("fails for %s", async (_, reply, message) => {
    await work(fakeGateway({ embed: async () => reply }).gateway);
    const { ids, job } = await add({ "a.md": "One." });
    await settled(ids[0] as string);
    expect(await document(ids[0] as string)).toMatchObject({ state: "failed", contentHash: null });
    expect((await document(ids[0] as string)).error?.message).toContain(message);
    await until("the job has ended", async () => (await findJob(db, job))?.state === "completed");
    await until("nothing is left", async () => (await db.$count(documentBuilds)) === 0);
  });

  test("retries after a temporary error, and stores the error of the third attempt", async () => {
    let tries = 0;
    const embed = async () => {
      tries++;
      // Makes the next attempt due immediately.
      throw new AppError("internal", "Something failed.", { retryAfterMs: 0 });
    };
    await work(fakeGateway({ embed }).gateway);
    const { ids } = await add({ "a.md": "One." });
    await until("the document has failed", async () => {
      await db.write((tx) => tx.update(tasks).set({ runAfter: new Date(0) }));
      return (await document(ids[0] as string)).state === "failed";
    });
    expect([tries, (await document(ids[0] as string)).error?.message]).toEqual([3, "Something failed."]);
  });

  test("leaves nothing behind if the document is deleted", async () => {
    const [begun, held] = [gate(), gate()];
    const { gateway } = fakeGateway();
    const slow = fakeGateway({
      async embed(...call) {
        begun.open();
        await held.passed;
        return gateway.embed(...call);
      },
    });
    await work(slow.gateway);
    const { ids, job } = await add({ "a.md": "One." });
    await begun.passed;
    await services().documents.remove(PRINCIPAL, indexId, ids[0] as string);
    held.open();
    await until("the job has ended", async () => (await findJob(db, job))?.endedAt != null);
    await until("nothing is left", async () => (await db.$count(documentBuilds)) === 0);
    expect(await db.$count(chunkTable)).toBe(0);
  });
});

test("the file of a failed document is kept for a retry, and an unused file is deleted", async () => {
  await work(fakeGateway().gateway);
  const { ids } = await add({ "a.md": "unreadable" });
  await settled(ids[0] as string);
  const [abandoned] = await services().uploads.receiveTexts([{ fileName: "b.md", text: "x" }], PRINCIPAL.keyId);
  const nextWeek = () => new Date(Date.now() + 7 * 86_400_000);
  await createUploads({ db, maxBytes: 1, now: nextWeek }).sweep();
  const kept = (await document(ids[0] as string)).uploadId ?? "";
  expect([await findUpload(db, kept), await findUpload(db, abandoned?.id ?? "")]).toEqual([
    expect.anything(),
    undefined,
  ]);
});

test("a sweep finishes a document that its job left open", async () => {
  const { ids, job } = await add({ "a.md": "One." });
  await db.write((tx) => requestCancel(tx, job, new Date()));
  expect((await document(ids[0] as string)).state).toBe("queued");
  const deps = { ...standIn, db, uploads: services().uploads, gateway: fakeGateway().gateway, log: silentLog() };
  await ragIngest(deps).sweep?.();
  expect((await document(ids[0] as string)).state).toBe("cancelled");
});

test("a version that can't be built fails with the reason and leaves no builds behind", async () => {
  const good = fakeGateway();
  const loop = await work(good.gateway);
  const { ids } = await add({ "a.md": "One." });
  await settled(ids[0] as string);
  await loop.close(0);
  loops = [];
  await work(fakeGateway({ embed: async () => ({ vectors: [], revision: "2" }) }).gateway, {
    ...standIn,
    chunk: async (...call) => (await standIn.chunk(...call)).map((each) => ({ ...each, searchText: "changed" })),
  });
  const request = { chunking: { chunk_tokens: 64, overlap_tokens: 0 } };
  await services().versions.build(PRINCIPAL, indexId, request, async () => {});
  await until("the job has ended", async () => {
    const jobId = (await findVersion(db, indexId, 2))?.jobId ?? "";
    return (await findJob(db, jobId))?.endedAt != null;
  });
  const deps = { ...standIn, db, uploads: services().uploads, gateway: good.gateway, log: silentLog() };
  await ragIngest(deps).sweep?.();
  const version = await findVersion(db, indexId, 2);
  expect([version?.state, version?.error?.code]).toEqual(["failed", "conflict"]);
  expect([await listDoomedBuilds(db, 10), await textsOf(ids[0] as string)]).toEqual([[], ["One."]]);
});
