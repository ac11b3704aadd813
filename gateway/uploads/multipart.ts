import { once } from "node:events";
import type { Readable } from "node:stream";
import { Busboy, type BusboyHeaders, type BusboyInstance } from "@fastify/busboy";
import { AppError, toAppError } from "../../lib/errors";

/** What becomes of the file of a form. */
export interface FileTaker<T> {
  /** Takes it in as it comes. Its stream fails when the form does. */
  take(file: AsyncIterable<Uint8Array>, name: string | null): Promise<T>;
  /** Undoes that: what came after the file was no form. */
  discard(taken: T): Promise<void>;
}

/** A form with one file: its other fields as text, and what was made of the file. */
export interface FormWithFile<T> {
  fields: Record<string, string>;
  file: T | undefined;
}

/** Longest value of a field in bytes: a JSON Schema or a column mapping. */
const MAX_FIELD_BYTES = 262_144;
const MAX_FIELDS = 20;

/** Headers of parts are short; a boundary that never comes would otherwise be looked for in all of the body. */
const LIMITS = { fieldNameSize: 100, fieldSize: MAX_FIELD_BYTES, fields: MAX_FIELDS, files: 1, headerPairs: 20 };

/**
 * Reads a form as it comes, its file as a stream that is no faster than it is taken. Throws invalid_request for what is no
 * form, has a second file or a field twice, and what `take` throws; then nothing of the file is left.
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
    else if (name in fields) fail(broken(`${name} is there twice.`, name));
    else fields[name] = value;
  });
  parser.on("file", (name, stream, fileName) => {
    // Also one that nobody reads, or reads only later, may fail.
    stream.on("error", () => {});
    if (name !== "file") fail(broken(`The file has to be the field "file", not "${name}".`, name));
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
    // Who takes the file in would wait for ever for what no longer comes.
    fileStream?.destroy(toAppError(error));
    await file?.then(taker.discard, () => {});
    throw error;
  } finally {
    over.abort();
    parser.destroy();
  }
};

/** Gives the parser one piece after the other, no faster than it takes them, until the end or until `over`. */
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
    throw broken("The header content-type names no boundary. Let your HTTP client write it.", cause);
  }
};

const broken = (message: string, about?: unknown): AppError =>
  new AppError("invalid_request", message, typeof about === "string" ? { param: about } : { cause: about });
