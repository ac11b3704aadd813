import type { DocumentRow } from "../../../db/documents";
import { AppError } from "../../../lib/errors";
import { newId } from "../../../lib/ids";
import type { AddedDocuments, RagDocument } from "./contract";
import { type PendingContent, pendingOf } from "./ingestion";

/** A stored file that a request adds. */
export interface NewFile {
  content: PendingContent;
  uploadId: string;
  /** sha256 of its bytes, in hex. */
  hash: string;
  /** Id of the document that the file replaces or creates. */
  id?: string;
}

export interface PlannedFile {
  file: NewFile;
  documentId: string;
  outcome: AddedDocuments["documents"][number]["outcome"];
  /** The document that gets the new content. */
  replaces?: DocumentRow;
}

/**
 * Decides which document each file belongs to: the one with its id, otherwise with its source, otherwise with the same
 * content. A file whose content and fields are unchanged has no effect. Throws invalid_request if two files in the request
 * have the same id or source.
 */
export const planFiles = (files: readonly NewFile[], existing: readonly DocumentRow[]): PlannedFile[] => {
  refuseRepeated(files);
  const planned: PlannedFile[] = [];
  for (const file of files) {
    const twin = planned.find(
      (other) => file.id === undefined && other.file.id === undefined && isSame(file, other.file),
    );
    if (twin) {
      planned.push({ file, documentId: twin.documentId, outcome: "unchanged" });
      continue;
    }
    const document = findOwner(file, existing);
    if (!document) planned.push({ file, documentId: file.id ?? newId("doc"), outcome: "added" });
    else if (isUnchanged(file, document)) planned.push({ file, documentId: document.id, outcome: "unchanged" });
    else planned.push({ file, documentId: document.id, outcome: "replaced", replaces: document });
  }
  return planned;
};

const refuseRepeated = (files: readonly NewFile[]): void => {
  const seen = new Map<string, number>();
  for (const [index, { id, content }] of files.entries()) {
    const [field, value] = id === undefined ? (["source", content.source] as const) : (["id", id] as const);
    if (value === null) continue;
    const first = seen.get(`${field} ${value}`);
    if (first !== undefined) {
      const message = `documents.${first} and documents.${index} have the same ${field} "${value}". Give each document its own ${field}.`;
      throw new AppError("invalid_request", message, { param: `documents.${index}.${field}` });
    }
    seen.set(`${field} ${value}`, index);
  }
};

const findOwner = (file: NewFile, existing: readonly DocumentRow[]): DocumentRow | undefined => {
  if (file.id !== undefined) return existing.find(({ id }) => id === file.id);
  const { source } = file.content;
  const bySource = source === null ? undefined : existing.find((document) => document.source === source);
  return bySource ?? existing.find((document) => isUnchanged(file, document));
};

type Comparable = Pick<NewFile, "hash"> & { content: Pick<PendingContent, "title" | "metadata"> };

const isSame = (a: Comparable, b: Comparable): boolean =>
  a.hash === b.hash &&
  (a.content.title === null || a.content.title === b.content.title) &&
  Bun.deepEquals(a.content.metadata, b.content.metadata);

/** Whether the document already has this content, or a job is adding it. */
const isUnchanged = (file: NewFile, document: DocumentRow): boolean => {
  if (document.state === "failed" || document.state === "cancelled") return false;
  const pending = pendingOf(document);
  const metadata = (pending?.metadata ?? document.metadata) as PendingContent["metadata"];
  const hash = document.pendingHash ?? document.fileHash ?? "";
  return isSame(file, { hash, content: { title: pending?.title ?? document.title, metadata } });
};

/** Document fields for content that is not read yet. */
export const pendingFields = ({ content, hash, uploadId }: NewFile) => ({
  pending: { ...content },
  pendingHash: hash,
  uploadId,
});

/** The row of a new, queued document. */
export const documentRow = (file: NewFile, createdBy: string, at: Date) => ({
  ...pendingFields(file),
  title: file.content.title ?? file.content.source ?? file.content.fileName,
  source: file.content.source,
  mediaType: file.content.mediaType ?? mediaTypeOf(file.content.fileName),
  metadata: file.content.metadata,
  state: "queued" as const,
  // `startJob` sets it in the same transaction.
  jobId: "",
  createdBy,
  createdAt: at,
  updatedAt: at,
});

const BY_ENDING: Readonly<Record<string, RagDocument["media_type"]>> = {
  md: "text/markdown",
  markdown: "text/markdown",
  html: "text/html",
  htm: "text/html",
  csv: "text/csv",
  pdf: "application/pdf",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
};

/** The type that a file name suggests. Reading the file may correct it. */
const mediaTypeOf = (fileName: string): RagDocument["media_type"] =>
  BY_ENDING[fileName.split(".").at(-1)?.toLowerCase() ?? ""] ?? "text/plain";
