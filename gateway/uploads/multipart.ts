import { once } from "node:events";
import type { Readable } from "node:stream";
import { Busboy, type BusboyHeaders, type BusboyInstance } from "@fastify/busboy";
import { AppError, toAppError } from "../../lib/errors";
import type { Principal } from "../principal";
import type { Upload, Uploads } from "./service";

/** How the file of a form is stored. */
interface FileTaker<T> {
  /** Stores the file as it arrives. The stream fails if the form does. */
  take(file: AsyncIterable<Uint8Array>, name: string | null): Promise<T>;
  /** Undoes `take`, because the rest of the form was invalid. */
  discard(taken: T): Promise<void>;
}

/** A form with one file: its other fields as text, and the result of `take`. */
interface FormWithFile<T> {
  fields: Record<string, string>;
  file: T | undefined;
}

/** Maximum length of a field's value in bytes, such as a JSON Schema or a column mapping. */
const MAX_FIELD_BYTES = 262_144;
const MAX_FIELDS = 20;

/** Part headers are short. Without this limit, the parser would search the whole body for a missing boundary. */
const LIMITS = { fieldNameSize: 100, fieldSize: MAX_FIELD_BYTES, fields: MAX_FIELDS, files: 1, headerPairs: 20 };

/**
 * Reads a form as it arrives, with its file as a stream with backpressure. Throws invalid_request for an invalid form,
 * a second file or a repeated field, and what `take` throws. The file is not kept then.
 */
export const readForm = async <T>(
  contentType: string,
  pieces: AsyncIterable<Uint8Array>,
  taker: FileTaker<T>,
): Promise<FormWithFile<T>> => {
  const fields: Record<string, string> = Object.create(null);
  let file: Promise<T> | undefined;
  let fileStream: Readable | undefined;
  const over = new AbortController();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  const fail = (error: unknown) => {
    over.abort();
    failed.reject(error);
  };

  const parser = openParser(contentType);
  parser.on("field", (name, value, isNameCut, isValueCut) => {
    if (isNameCut || isValueCut) fail(broken(`A field is longer than ${MAX_FIELD_BYTES} bytes.`, name));
    else if (name in fields) fail(broken(`${name} is given more than once.`, name));
    else fields[name] = value;
  });
  parser.on("file", (name, stream, fileName) => {
    // The stream may fail before it is read, or without being read.
    stream.on("error", () => {});
    if (name !== "file") fail(broken(`Send the file in the field "file", not "${name}".`, name));
    if (over.signal.aborted) return;
    fileStream = stream;
    file = taker.take(stream, fileName || null);
    file.catch(fail);
  });
  parser.on("filesLimit", () => fail(broken("There is more than one file. Send one at a time.", "file")));
  parser.on("fieldsLimit", () => fail(broken(`There are more than ${MAX_FIELDS} fields.`)));

  const finished = new Promise<void>((resolve, reject) => {
    parser.once("finish", () => resolve());
    parser.once("error", (cause) => reject(broken("The form can't be read: it is cut off or not well-formed.", cause)));
    feed(parser, pieces, over.signal).catch(reject);
  });
  try {
    await Promise.race([finished, failed.promise]);
    return { fields, file: await file };
  } catch (error) {
    // Otherwise `take` would wait forever for the rest of the file.
    fileStream?.destroy(toAppError(error));
    await file?.then(taker.discard, () => {});
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

const openParser = (contentType: string): BusboyInstance => {
  try {
    return new Busboy({ headers: { "content-type": contentType } as BusboyHeaders, limits: LIMITS });
  } catch (cause) {
    throw broken("The header content-type has no boundary. Let your HTTP client set this header.", cause);
  }
};

const broken = (message: string, about?: unknown): AppError =>
  new AppError("invalid_request", message, typeof about === "string" ? { param: about } : { cause: about });

/** A body that is read as it arrives, up to its limit. `http/body.ts` creates it from a request. */
export interface UploadBody {
  contentType: string;
  pieces(): AsyncIterable<Uint8Array>;
  text(): Promise<string>;
}

/**
 * Reads a form and stores its file in the database piece by piece. Throws invalid_request and payload_too_large, and
 * keeps nothing then. The values of the fields are not validated.
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
