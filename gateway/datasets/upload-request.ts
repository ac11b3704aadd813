import { type TObject, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { AppError } from "../../lib/errors";
import type { Principal } from "../principal";
import { receiveForm, type UploadBody } from "../uploads/multipart";
import type { Uploads } from "../uploads/service";
import { parseJson, refuseBadText } from "../validation/json";
import { leaveOutNeutral } from "../validation/neutral-values";
import { invalidRequest, unknownField } from "../validation/problems";
import { NewSample } from "./contract";
import type { ImportOptions } from "./import-job";
import type { UploadRequest } from "./imports";
import { parseExact } from "./reading/formats/json-value";

interface Schemas {
  /** Schema of the JSON body. Its size limit includes the samples. */
  json: TObject;
  /** Schema of the form. Its size limit includes the file. */
  form: TObject;
}

/**
 * Reads an upload's body as it arrives: a form's file is stored in the database piece by piece, a JSON body's samples
 * line by line. Throws invalid_request or payload_too_large, and then keeps nothing.
 */
export const readUploadRequest = (
  body: UploadBody,
  { json, form }: Schemas,
  uploads: Pick<Uploads, "receive" | "discard">,
  principal: Pick<Principal, "keyId">,
): Promise<UploadRequest> =>
  body.contentType.toLowerCase().startsWith("multipart/")
    ? readFileForm(body, form, uploads, principal)
    : readJsonBody(body, json, uploads, principal);

const check = <T extends TSchema>(schema: T, value: unknown): void => {
  if (!Value.Check(schema, value)) throw invalidRequest(Value.Errors(schema, value));
};

const readFileForm = async (
  source: UploadBody,
  schema: TObject,
  uploads: Pick<Uploads, "receive" | "discard">,
  principal: Pick<Principal, "keyId">,
): Promise<UploadRequest> => {
  const { file: upload, fields } = await receiveForm(source, uploads, principal);
  if (!upload)
    throw new AppError("invalid_request", "file is missing. Send the file in this field of the form.", {
      param: "file",
    });
  try {
    check(withoutFile(schema), fields);
    refuseBadText(fields);
    const { mapping, format, on_error: onError, dry_run: dryRun, schema: sampleSchema, ...rest } = fields;
    return {
      upload,
      isInline: false,
      options: {
        format: format as ImportOptions["format"],
        mapping: parse("mapping", mapping, Mapping) as ImportOptions["mapping"],
        onError: onError === "skip" ? "skip" : "refuse",
        dryRun: dryRun === "true",
      },
      fields: { ...rest, schema: parse("schema", sampleSchema, JsonObject) as UploadRequest["fields"]["schema"] },
      sent: { ...fields, sha256: upload.sha256, file: upload.fileName },
    };
  } catch (error) {
    await uploads.discard(upload.id);
    throw error;
  }
};

const withoutFile = ({ properties: { file: _, ...properties } }: TObject): TObject =>
  Type.Object(properties, { additionalProperties: false });

const JsonObject = Type.Record(Type.String(), Type.Unknown());
const Mapping = Type.Record(Type.String(), Type.Union([Type.String({ maxLength: 200 }), Type.Null()]));

/** Parses a form field that contains a JSON object. */
const parse = (name: string, text: string | undefined, schema: TSchema): unknown => {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (Value.Check(schema, value)) return value;
  } catch {
    // Reported below.
  }
  throw new AppError("invalid_request", `${name} must be a JSON object as a string.`, { param: name });
};

const readJsonBody = async (
  source: UploadBody,
  schema: TObject,
  uploads: Pick<Uploads, "receive">,
  { keyId }: Pick<Principal, "keyId">,
): Promise<UploadRequest> => {
  const body = readObject(await source.text(), withAnySamples(schema));
  leaveOutNeutral(schema, body);
  check(withAnySamples(schema), body);
  const {
    samples,
    on_error: onError,
    dry_run: dryRun,
    ...fields
  } = body as Record<string, unknown> & { samples: unknown[] };
  for (const [index, sample] of samples.entries()) refuseUnknownFields(sample, index);
  const upload = await uploads.receive(toLines(samples), { fileName: null, createdBy: keyId });
  return {
    upload,
    isInline: true,
    options: { format: "jsonl", onError: onError === "skip" ? "skip" : "refuse", dryRun: dryRun === true },
    fields,
    sent: body,
  };
};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const readObject = (text: string, schema: TSchema): unknown => {
  if (text === "") throw new AppError("invalid_request", "The body is empty. Send a JSON object.");
  const body = parseJson(text, schema);
  // Samples keep the digits of their numbers; the schema check needs plain numbers.
  const exact = parseExact(text);
  return isObject(body) && isObject(exact) && body.samples !== undefined ? { ...body, samples: exact.samples } : body;
};

/**
 * Accepts any samples: the report lists their problems with positions, and the caller may choose to skip those samples.
 */
const withAnySamples = ({ properties }: TObject): TObject =>
  Type.Object(
    { ...properties, samples: Type.Array(Type.Unknown(), { minItems: 1, maxItems: 100_000 }) },
    { additionalProperties: false },
  );

/** A file may have any columns, but an unknown field in a JSON body is an error. */
const refuseUnknownFields = (sample: unknown, index: number): void => {
  if (typeof sample !== "object" || sample === null) return;
  const unknown = Object.keys(sample).find((name) => !Object.hasOwn(NewSample.properties, name));
  if (unknown === undefined) return;
  const owner = `samples.${index}`;
  const message = unknownField(unknown, owner, Object.keys(NewSample.properties));
  throw new AppError("invalid_request", message, { param: `${owner}.${unknown}` });
};

function* toLines(samples: readonly unknown[]): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  for (const sample of samples) yield encoder.encode(`${JSON.stringify(sample)}\n`);
}
