import { once } from "node:events";
import type { Readable } from "node:stream";
import { Busboy, type BusboyHeaders, type BusboyInstance } from "@fastify/busboy";
import { AppError, toAppError } from "../../lib/errors";
import type { Principal } from "../principal";
import type { Upload, Uploads } from "./service";

/** A body that is read as it arrives, up to its maximum size. `http/body.ts` creates it from a request. */
export interface UploadBody {
  contentType: string;
  pieces(): AsyncIterable<Uint8Array>;
  text(): Promise<string>;
}

/** Where the files are stored. */
type Receiver = Pick<Uploads, "receive" | "discard">;

/** Maximum size of a field's value, such as a JSON Schema or a column mapping. */
const MAX_FIELD_BYTES = 262_144;
const MAX_FIELDS = 20;

/** Part headers are short. Without this limit, the parser would search the whole body for a missing boundary. */
const LIMITS = { fieldNameSize: 100, fieldSize: MAX_FIELD_BYTES, fields: MAX_FIELDS, headerPairs: 20 };

/**
 * Reads a form as it arrives and stores the files of its field `field`, up to `most`, in the database piece by piece.
 * Throws invalid_request for an invalid form, too many files or a repeated field, and payload_too_large; no file is kept
 * then. Field values are not validated.
 */
export const receiveFiles = async (
  body: Pick<UploadBody, "contentType" | "pieces">,
  uploads: Receiver,
  { keyId }: Pick<Principal, "keyId">,
  most: number,
  field = "files",
): Promise<{ fields: Record<string, string>; files: Upload[] }> => {
  const fields: Record<string, string> = Object.create(null);
  const files: Promise<Upload>[] = [];
  let fileStream: Readable | undefined;
  const over = new AbortController();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  const fail = (error: unknown) => {
    over.abort();
    failed.reject(error);
  };

  const parser = openParser(body.contentType, most);
  parser.on("field", (name, value, isNameCut, isValueCut) => {
    if (isNameCut || isValueCut) fail(broken(`A field is longer than ${MAX_FIELD_BYTES} bytes.`, name));
    else if (name === field) fail(broken(sentAsText(name), name));
    else if (name in fields) fail(broken(`${name} is given more than once.`, name));
    else fields[name] = value;
  });
  parser.on("file", (name, stream, fileName) => {
    // The stream may fail before it is read, or without ever being read.
    stream.on("error", () => {});
    if (name !== field) fail(broken(`Send the file in the field "${field}", not "${name}".`, name));
    if (over.signal.aborted) return;
    fileStream = stream;
    const file = uploads.receive(stream, { fileName: fileName || null, createdBy: keyId });
    file.catch(fail);
    files.push(file);
  });
  parser.on("filesLimit", () => fail(tooMany(field, most)));
  parser.on("fieldsLimit", () => fail(broken(`There are more than ${MAX_FIELDS} fields.`)));

  const finished = new Promise<void>((resolve, reject) => {
    parser.once("finish", () => resolve());
    parser.once("error", (cause) =>
      reject(broken("The form can't be read: it is incomplete or not well-formed.", cause)),
    );
    feed(parser, body.pieces(), over.signal).catch(reject);
  });
  try {
    await Promise.race([finished, failed.promise]);
    return { fields, files: await Promise.all(files) };
  } catch (error) {
    // Otherwise `receive` would wait for the rest of the file forever.
    fileStream?.destroy(toAppError(error));
    for (const file of files)
      await file.then(
        ({ id }) => uploads.discard(id),
        () => {},
      );
    throw error;
  } finally {
    over.abort();
    parser.destroy();
  }
};

/** Feeds the parser piece by piece, with backpressure, until the end or until `over`. */
const feed = async (parser: BusboyInstance, pieces: AsyncIterable<Uint8Array>, over: AbortSignal): Promise<void> => {
  for await (const piece of pieces) {
    if (over.aborted) return;
    if (!parser.write(piece)) await once(parser, "drain", { signal: over });
  }
  parser.end();
};

const sentAsText = (name: string): string =>
  `${name} was sent as text. Send it as a file with a name, for example with curl -F ${name}=@questions.csv.`;

const tooMany = (field: string, most: number): AppError =>
  most === 1
    ? broken("There is more than one file. Send one at a time.", field)
    : broken(`There are more than ${most} files. Send the others in another request.`, field);

const openParser = (contentType: string, files: number): BusboyInstance => {
  try {
    const headers = { "content-type": contentType } as BusboyHeaders;
    return new Busboy({ headers, limits: { ...LIMITS, files } });
  } catch (cause) {
    throw broken("The header content-type has no boundary. Let your HTTP client set this header.", cause);
  }
};

const broken = (message: string, about?: unknown): AppError =>
  new AppError("invalid_request", message, typeof about === "string" ? { param: about } : { cause: about });

/** The same for one file in the field `file`; undefined if there is none. */
export const receiveForm = async (
  body: UploadBody,
  uploads: Receiver,
  principal: Pick<Principal, "keyId">,
): Promise<{ fields: Record<string, string>; file: Upload | undefined }> => {
  const { fields, files } = await receiveFiles(body, uploads, principal, 1, "file");
  return { fields, file: files[0] };
};
