import { once } from "node:events";
import type { Readable } from "node:stream";
import { Busboy, type BusboyHeaders, type BusboyInstance } from "@fastify/busboy";
import { AppError, toAppError } from "../../lib/errors";
import type { Principal } from "../principal";
import type { Upload, Uploads } from "./service";

/** How the files of a form are stored. */
interface FileTaker<T> {
  /** Name of the field with the files. */
  field: string;
  /** Maximum number of files. */
  most: number;
  /** Stores the file as it arrives. The stream fails if the form does. */
  take(file: AsyncIterable<Uint8Array>, name: string | null): Promise<T>;
  /** Undoes `take` if the rest of the form is invalid. */
  discard(taken: T): Promise<void>;
}

/** A form with files: its other fields as text, and the results of `take` in order. */
interface FormWithFiles<T> {
  fields: Record<string, string>;
  files: T[];
}

/** Maximum size of a field's value, such as a JSON Schema or a column mapping. */
const MAX_FIELD_BYTES = 262_144;
const MAX_FIELDS = 20;

/** Part headers are short. Without this limit, the parser would search the whole body for a missing boundary. */
const LIMITS = { fieldNameSize: 100, fieldSize: MAX_FIELD_BYTES, fields: MAX_FIELDS, headerPairs: 20 };

/**
 * Reads a form as it arrives, with each file as a stream with backpressure. Throws invalid_request for an invalid form,
 * too many files or a repeated field, and what `take` throws. No file is kept then.
 */
export const readForm = async <T>(
  contentType: string,
  pieces: AsyncIterable<Uint8Array>,
  taker: FileTaker<T>,
): Promise<FormWithFiles<T>> => {
  const fields: Record<string, string> = Object.create(null);
  const files: Promise<T>[] = [];
  let fileStream: Readable | undefined;
  const over = new AbortController();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  const fail = (error: unknown) => {
    over.abort();
    failed.reject(error);
  };

  const parser = openParser(contentType, taker.most);
  parser.on("field", (name, value, isNameCut, isValueCut) => {
    if (isNameCut || isValueCut) fail(broken(`A field is longer than ${MAX_FIELD_BYTES} bytes.`, name));
    else if (name === taker.field) fail(broken(sentAsText(name), name));
    else if (name in fields) fail(broken(`${name} is given more than once.`, name));
    else fields[name] = value;
  });
  parser.on("file", (name, stream, fileName) => {
    // The stream may fail before it is read, or without ever being read.
    stream.on("error", () => {});
    if (name !== taker.field) fail(broken(`Send the file in the field "${taker.field}", not "${name}".`, name));
    if (over.signal.aborted) return;
    fileStream = stream;
    const file = taker.take(stream, fileName || null);
    file.catch(fail);
    files.push(file);
  });
  parser.on("filesLimit", () => fail(tooMany(taker)));
  parser.on("fieldsLimit", () => fail(broken(`There are more than ${MAX_FIELDS} fields.`)));

  const finished = new Promise<void>((resolve, reject) => {
    parser.once("finish", () => resolve());
    parser.once("error", (cause) =>
      reject(broken("The form can't be read: it is incomplete or not well-formed.", cause)),
    );
    feed(parser, pieces, over.signal).catch(reject);
  });
  try {
    await Promise.race([finished, failed.promise]);
    return { fields, files: await Promise.all(files) };
  } catch (error) {
    // Otherwise `take` would wait for the rest of the file forever.
    fileStream?.destroy(toAppError(error));
    for (const file of files) await file.then(taker.discard, () => {});
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

const tooMany = ({ field, most }: Pick<FileTaker<unknown>, "field" | "most">): AppError =>
  most === 1
    ? broken("There is more than one file. Send one at a time.", field)
    : broken(`There are more than ${most} files. Send the others in another request.`, field);

const openParser = (contentType: string, files: number): BusboyInstance => {
  try {
    const headers = { "content-type": contentType } as BusboyHeaders;
    return new Busboy({ headers, limits: { ...LIMITS, files } });
  } catch (cause) {
    throw broken("The content-type header has no boundary. Let your HTTP client set this header.", cause);
  }
};

const broken = (message: string, about?: unknown): AppError =>
  new AppError("invalid_request", message, typeof about === "string" ? { param: about } : { cause: about });

/** A body that is read as it arrives, up to its maximum size. `http/body.ts` creates it from a request. */
export interface UploadBody {
  contentType: string;
  pieces(): AsyncIterable<Uint8Array>;
  text(): Promise<string>;
}

/** Where `receiveForm` stores files, and for whom. */
type Receiver = Pick<Uploads, "receive" | "discard">;

const takerFor = (uploads: Receiver, keyId: string, field: string, most: number): FileTaker<Upload> => ({
  field,
  most,
  take: (file, fileName) => uploads.receive(file, { fileName, createdBy: keyId }),
  discard: ({ id }) => uploads.discard(id),
});

/**
 * Reads a form and stores its file in the database piece by piece. Throws invalid_request and payload_too_large;
 * nothing is kept then. Field values are not validated.
 */
export const receiveForm = async (
  body: UploadBody,
  uploads: Receiver,
  { keyId }: Pick<Principal, "keyId">,
): Promise<{ fields: Record<string, string>; file: Upload | undefined }> => {
  const { fields, files } = await readForm(body.contentType, body.pieces(), takerFor(uploads, keyId, "file", 1));
  return { fields, file: files[0] };
};

/** The same for up to `most` files in the `files` field. */
export const receiveFiles = (
  body: UploadBody,
  uploads: Receiver,
  { keyId }: Pick<Principal, "keyId">,
  most: number,
): Promise<FormWithFiles<Upload>> => readForm(body.contentType, body.pieces(), takerFor(uploads, keyId, "files", most));
