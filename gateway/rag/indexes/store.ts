import { createHash } from "node:crypto";
import { findVisibleBuild, insertBuild } from "../../../db/builds";
import { findVectorsByHash, insertChunks } from "../../../db/chunks";
import type { Db, Reads, Tx } from "../../../db/client";
import { type DocumentRow, insertDocuments, listMatchingDocuments, updateDocument } from "../../../db/documents";
import { findIndex, listLiveVersions, type VersionRow } from "../../../db/indexes";
import { AppError, toAppError } from "../../../lib/errors";
import { newId } from "../../../lib/ids";
import type { Log } from "../../../lib/log";
import type { Call } from "../../call";
import type { EmbeddingList, EmbeddingRequest, Metadata, StoreEmbeddings } from "../../embeddings/contract";
import type { EmbeddingService, Embeddings } from "../../embeddings/service";
import { toNumbers } from "../../embeddings/vectors";
import type { VectorStore } from "../../ports/vectors";
import { publishDocument } from "./publish";
import type { Indexes } from "./service";
import { uploadMissing } from "./uploaded-vectors";

/** Maximum texts per request, because all of them are stored in one transaction. */
const MAX_STORED = 256;
const MAX_TITLE = 200;
const MEDIA_TYPE = "text/plain";

interface StoreDeps {
  db: Db;
  indexes: Pick<Indexes, "find">;
  embeddings: Pick<EmbeddingService, "embed">;
  /** Also receives the vectors; undefined: vectors are only in the database. */
  vectors?: VectorStore;
  log: Pick<Log, "warn">;
  now?: () => Date;
}

type Stored = NonNullable<EmbeddingList["stored"]>;

/** A text that becomes a document with one chunk. */
interface StoredText {
  text: string;
  /** sha256 of the text. */
  hash: string;
  /** The caller's id for the text. */
  source: string | null;
  metadata: Metadata;
  vector: Float32Array;
  tokens: number;
}

/** Embeds texts and stores each as a document with one chunk. */
export const createVectorStore = ({ db, indexes, embeddings, vectors, log, now = () => new Date() }: StoreDeps) => ({
  /**
   * Throws what `embed` throws, not_found, conflict if the index has a different model, and invalid_request for token
   * ids, queries, and lists of ids or metadata whose length doesn't match.
   */
  async embed(
    call: Call,
    request: EmbeddingRequest,
    store: StoreEmbeddings,
  ): Promise<{ answer: Embeddings; stored: Stored }> {
    const texts = readTexts(request, store);
    const { id: indexId } = await findIndexToStore(indexes, call, store.index);
    const [version] = await listLiveVersions(db, indexId);
    const model = request.model ?? version?.embeddingModel;
    const answer = await embeddings.embed(call, { ...request, model, input: texts, input_type: "document" });
    const found = texts.map((text, place): StoredText => {
      const { [place]: vector = { base64: "", tokens: 0 } } = answer.vectors;
      return {
        text,
        hash: createHash("sha256").update(text).digest("hex"),
        source: store.ids?.[place] ?? null,
        metadata: store.metadata?.[place] ?? {},
        vector: toNumbers(vector),
        tokens: vector.tokens,
      };
    });
    const { stored, builds } = await db.write((tx) =>
      storeTexts(tx, indexId, found, answer, call.principal.keyId, now()),
    );
    if (vectors && builds.length > 0) {
      await uploadMissing({ db, vectors }, builds).catch((error) =>
        log.warn({ err: error }, "vectors could not be uploaded to the vector store; the jobs worker will upload them"),
      );
    }
    return { answer, stored };
  },
});

const invalid = (message: string, param: string): AppError => new AppError("invalid_request", message, { param });

const findIndexToStore = async (indexes: StoreDeps["indexes"], { principal }: Call, idOrName: string) => {
  try {
    return await indexes.find(principal, idOrName);
  } catch (thrown) {
    const { kind, message, detail } = toAppError(thrown);
    throw new AppError(kind, message, { ...detail, param: "store.index" });
  }
};

const readTexts = ({ input, input_type }: EmbeddingRequest, { ids, metadata }: StoreEmbeddings): string[] => {
  if (input_type === "query")
    throw invalid("`store` embeds texts as documents. Omit `input_type` or set it to document.", "input_type");
  const texts = [input].flat().map((text) => {
    if (typeof text === "string") return text.toWellFormed();
    throw invalid("`store` needs texts, not token ids, because the index stores the text. Send texts.", "input");
  });
  if (texts.length > MAX_STORED) {
    throw invalid(
      `\`store\` accepts up to ${MAX_STORED} texts per request, not ${texts.length}. Send several requests.`,
      "input",
    );
  }
  for (const [name, list] of Object.entries({ ids, metadata })) {
    if (list === undefined || list.length === texts.length) continue;
    throw invalid(
      `\`store.${name}\` must have one item per text: ${texts.length} items, not ${list.length}.`,
      `store.${name}`,
    );
  }
  return texts;
};

/** Makes all texts visible in one step. Texts that are already stored change nothing. Also returns the ids of new builds. */
const storeTexts = async (
  tx: Tx,
  indexId: string,
  texts: readonly StoredText[],
  model: Pick<Embeddings, "model" | "modelRevision">,
  by: string,
  at: Date,
): Promise<{ stored: Stored; builds: string[] }> => {
  const versions = await listLiveVersions(tx, indexId);
  for (const version of versions) assertSameModel(version, model, texts);
  const existing = await listMatchingDocuments(tx, indexId, {
    ids: [],
    sources: texts.flatMap(({ source }) => source ?? []),
    hashes: texts.map(({ hash }) => hash),
  });
  const ids: string[] = [];
  const builds: string[] = [];
  const done = new Map<string, { id: string; text: StoredText }>();
  for (const text of texts) {
    const name = text.source === null ? `text ${text.hash}` : `id ${text.source}`;
    const earlier = done.get(name);
    if (earlier && !Bun.deepEquals(earlier.text.metadata, text.metadata)) {
      throw invalid("Two equal texts have different metadata. Give each text its own id.", "store.metadata");
    }
    const owner = existing.find((document) => isOwner(document, text));
    const id = earlier?.id ?? owner?.id ?? newId("doc");
    if (!earlier && !(owner && (await isUnchanged(tx, versions, owner, text)))) {
      builds.push(...(await storeText(tx, versions, { indexId, id, owner, by }, text, at)));
    }
    done.set(name, { id, text });
    ids.push(id);
  }
  const index = await findIndex(tx, indexId);
  if (!index) throw deletedMeanwhile();
  return { stored: { index_id: indexId, revision: index.revision, ids }, builds };
};

/** Every live version gets the vectors, so each must have been built with this revision of the model. */
const assertSameModel = (
  { embeddingModel, embeddingModelRevision, dimension }: VersionRow,
  { model, modelRevision }: Pick<Embeddings, "model" | "modelRevision">,
  texts: readonly StoredText[],
): void => {
  const length = texts[0]?.vector.length ?? dimension;
  if (embeddingModel === model && embeddingModelRevision === modelRevision && dimension === length) return;
  throw new AppError(
    "conflict",
    `The index has a version for ${embeddingModel} (revision ${embeddingModelRevision}, ${dimension} dimensions), but these vectors come from ` +
      `${model} (revision ${modelRevision}, ${length} dimensions). Use the index's model, or add the texts as documents.`,
    { param: "store.index" },
  );
};

/** Whether a document belongs to a text: by the caller's id, or by the text itself if there is no id. */
const isOwner = ({ source, contentHash }: DocumentRow, text: StoredText): boolean =>
  source === text.source && (source !== null || contentHash === text.hash);

const isUnchanged = async (
  db: Reads,
  versions: readonly VersionRow[],
  { indexId, id, state, contentHash, metadata }: DocumentRow,
  text: StoredText,
): Promise<boolean> => {
  if (state !== "ready" || contentHash !== text.hash || !Bun.deepEquals(metadata, text.metadata)) return false;
  for (const { version } of versions) {
    const build = await findVisibleBuild(db, { indexId, version, documentId: id });
    if (build?.chunks !== 1 || (await findVectorsByHash(db, build.id, [text.hash])).size === 0) return false;
  }
  return true;
};

/** Returns the ids of the new builds. */
const storeText = async (
  tx: Tx,
  versions: readonly VersionRow[],
  { indexId, id, owner, by }: { indexId: string; id: string; owner: DocumentRow | undefined; by: string },
  { text, hash, source, metadata, vector, tokens }: StoredText,
  at: Date,
): Promise<string[]> => {
  const [line = ""] = text.trim().split("\n", 1);
  const title = line.slice(0, MAX_TITLE).toWellFormed() || source || "Text";
  const shown = { title, source, mediaType: MEDIA_TYPE, metadata, fileHash: hash };
  // A job that is adding other content to the document stops, because it no longer owns the document.
  const jobId = newId("job");
  if (owner) await updateDocument(tx, owner, { jobId });
  else {
    const stamps = { createdBy: by, createdAt: at, updatedAt: at };
    await insertDocuments(tx, [{ ...shown, indexId, id, jobId, state: "embedding", ...stamps }]);
  }
  const builds = versions.map(({ version }) => ({ id: newId("build"), version }));
  for (const build of builds) {
    await insertBuild(tx, { ...build, indexId, documentId: id, jobId, contentHash: hash });
    const place = { position: 0, start: 0, end: text.length, page: null, heading: null };
    const chunk = { id: newId("chunk"), ...place, tokens, text, searchText: text, sha256: hash, vector };
    await insertChunks(tx, build.id, [chunk]);
  }
  const key = { indexId, documentId: id, jobId };
  const published = await publishDocument(tx, key, { ...shown, text, pages: [], hash }, builds, at);
  if (published !== "published") throw deletedMeanwhile();
  return builds.map((build) => build.id);
};

const deletedMeanwhile = (): AppError =>
  new AppError("not_found", "The index was deleted during the request, so nothing was stored.", {
    param: "store.index",
  });
