import { bodyPieces } from "../http/body";
import type { Exchange } from "../http/exchange";
import { type FormWithFile, readForm } from "../http/multipart";
import type { Principal } from "../principal";
import type { Upload, Uploads } from "./service";

/**
 * Reads a form whose file goes into the database piece by piece. Throws invalid_request, payload_too_large; then nothing of
 * it is left. What the fields say is not checked.
 */
export const receiveForm = (
  exchange: Exchange,
  uploads: Pick<Uploads, "receive" | "discard">,
  { keyId }: Pick<Principal, "keyId">,
): Promise<FormWithFile<Upload>> =>
  readForm(exchange.request.headers.get("content-type") ?? "", bodyPieces(exchange), {
    take: (file, fileName) => uploads.receive(file, { fileName, createdBy: keyId }),
    discard: ({ id }) => uploads.discard(id),
  });
