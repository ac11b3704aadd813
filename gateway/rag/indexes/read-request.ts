import { Value } from "@sinclair/typebox/value";
import { AppError } from "../../../lib/errors";
import { Metadata } from "../../embeddings/contract";
import type { Principal } from "../../principal";
import { receiveFiles, type UploadBody } from "../../uploads/multipart";
import type { Upload, Uploads } from "../../uploads/service";
import { parseJson, refuseBadText } from "../../validation/json";
import { leaveOutNeutral } from "../../validation/neutral-values";
import { invalidRequest, unknownField } from "../../validation/problems";
import { AddDocuments } from "./contract";
import type { NewFile } from "./plan";

const MAX_FILES = 100;

export interface DocumentsRequest {
  files: NewFile[];
  /** The whole request, so that a repeated one is recognised. */
  sent: unknown;
}

type Receiver = Pick<Uploads, "receive" | "receiveTexts" | "discard">;
type KeyHolder = Pick<Principal, "keyId">;

/**
 * Stores the files of a form as they arrive, or the texts of a JSON body. Throws invalid_request and payload_too_large,
 * and then keeps nothing.
 */
export const readDocumentsRequest = (
  body: UploadBody,
  uploads: Receiver,
  principal: KeyHolder,
): Promise<DocumentsRequest> =>
  body.contentType.toLowerCase().startsWith("multipart/")
    ? readForm(body, uploads, principal)
    : readJson(body, uploads, principal);

const readForm = async (body: UploadBody, uploads: Receiver, principal: KeyHolder): Promise<DocumentsRequest> => {
  const { files: received, fields } = await receiveFiles(body, uploads, principal, MAX_FILES);
  const files = received.filter((file) => !isLeftEmpty(file));
  try {
    for (const { id } of received.filter(isLeftEmpty)) await uploads.discard(id);
    if (files.length === 0) {
      throw new AppError("invalid_request", "No file was sent. Choose at least one.", { param: "files" });
    }
    refuseBadText(fields);
    const unknown = Object.keys(fields).find((name) => name !== "metadata");
    if (unknown !== undefined) {
      const message = unknownField(unknown, "this request", ["files", "metadata"]);
      throw new AppError("invalid_request", message, { param: unknown });
    }
    const metadata = readMetadata(fields.metadata);
    const sent = { metadata, files: files.map(({ fileName, sha256 }) => [fileName, sha256]) };
    return { files: files.map((file) => toFile(file, metadata)), sent };
  } catch (error) {
    for (const { id } of files) await uploads.discard(id);
    throw error;
  }
};

/** What a browser sends for a field without a file. */
const isLeftEmpty = ({ fileName, sizeBytes }: Upload): boolean => fileName === null && sizeBytes === 0;

const toFile = ({ id, fileName, sha256 }: Upload, metadata: Metadata): NewFile => ({
  content: { fileName: fileName ?? "upload", title: null, source: fileName, mediaType: null, metadata },
  uploadId: id,
  hash: sha256,
});

const readMetadata = (text: string | undefined): Metadata => {
  if (text === undefined || text === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    if (Value.Check(Metadata, value)) return value;
  } catch {
    // Reported below.
  }
  throw new AppError(
    "invalid_request",
    "metadata must be a JSON object, sent as a string, whose values are strings, numbers, booleans or null.",
    { param: "metadata" },
  );
};

const readJson = async (body: UploadBody, uploads: Receiver, principal: KeyHolder): Promise<DocumentsRequest> => {
  const text = await body.text();
  if (text === "") throw new AppError("invalid_request", "The body is empty. Send a JSON object.");
  const sent: unknown = parseJson(text, AddDocuments);
  leaveOutNeutral(AddDocuments, sent);
  if (!Value.Check(AddDocuments, sent)) throw invalidRequest(Value.Errors(AddDocuments, sent));
  return { files: await storeTexts(sent.documents, uploads, principal), sent };
};

/** Stores each text as a file to add. */
export const storeTexts = async (
  documents: AddDocuments["documents"],
  uploads: Pick<Uploads, "receiveTexts">,
  { keyId }: KeyHolder,
): Promise<NewFile[]> => {
  const texts = documents.map((document) => ({ ...document, fileName: nameOf(document) }));
  const stored = await uploads.receiveTexts(texts, keyId);
  return texts.map(({ id, title = null, source = null, media_type, metadata = {}, fileName }, index) => {
    const upload = stored[index];
    if (!upload) throw new Error("A text was not stored.");
    const content = { fileName, title, source, mediaType: media_type ?? "text/markdown", metadata };
    return { id, content, uploadId: upload.id, hash: upload.sha256 };
  });
};

/** The name that errors use for a text. */
const nameOf = ({ source, title, text }: AddDocuments["documents"][number]): string =>
  source ?? title ?? text.trimStart().split("\n", 1)[0]?.slice(0, 80) ?? "text";
