import type { Principal } from "../principal";
import { type FormWithFile, readForm } from "./multipart";
import type { Upload, Uploads } from "./service";

/** A body that is read as it comes, within its limit: `http/body.ts` makes it of a request. */
export interface UploadBody {
  contentType: string;
  pieces(): AsyncIterable<Uint8Array>;
  text(): Promise<string>;
}

/**
 * Reads a form whose file goes into the database piece by piece. Throws invalid_request, payload_too_large; then nothing of
 * it is left. What the fields say is not checked.
 */
export const receiveForm = (
  body: UploadBody,
  uploads: Pick<Uploads, "receive" | "discard">,
  { keyId }: Pick<Principal, "keyId">,
): Promise<FormWithFile<Upload>> =>
  readForm(body.contentType, body.pieces(), {
    take: (file, fileName) => uploads.receive(file, { fileName, createdBy: keyId }),
    discard: ({ id }) => uploads.discard(id),
  });
