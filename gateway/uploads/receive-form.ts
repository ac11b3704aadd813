import type { Principal } from "../principal";
import { type FormWithFile, readForm } from "./multipart";
import type { Upload, Uploads } from "./service";

/** A body that is read as it arrives, within its limit. `http/body.ts` makes it from a request. */
export interface UploadBody {
  contentType: string;
  pieces(): AsyncIterable<Uint8Array>;
  text(): Promise<string>;
}

/**
 * Reads a form and stores its file in the database piece by piece. Throws invalid_request and payload_too_large;
 * nothing is kept then. The values of the fields are not validated.
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
