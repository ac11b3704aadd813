import { Ajv, type ErrorObject, type Options, type ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020";
import { AppError } from "../../../../lib/errors";
import { compileLinear, stepsOf } from "../../../../lib/linear-pattern";
import { ownValue } from "../../../../lib/own-value";
import { dotted } from "../../../validation/problems";
import { formatBytes } from "../limits";
import type { SampleProblem } from "./check";

const MAX_SCHEMA_BYTES = 65_536;

/** Maximum steps of all patterns of a schema together, with repetitions expanded. */
const MAX_PATTERN_STEPS = 250_000;
/** Compiles patterns that run in linear time, and limits their steps together. */
const linearPatterns = () => {
  let steps = 0;
  const compile = (pattern: string) => {
    steps += stepsOf(pattern);
    if (steps > MAX_PATTERN_STEPS) throw new Error("its patterns repeat too much; use shorter or fewer patterns");
    return compileLinear(pattern);
  };
  return Object.assign(compile, { code: "linearPattern" });
};

const OPTIONS: Options = {
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  validateFormats: false,
  inlineRefs: false,
  ownProperties: true,
  logger: false,
};

const DRAFTS: readonly [name: string, create: (options: Options) => Ajv][] = [
  ["2020-12", (options) => new Ajv2020(options)],
  ["draft-07", (options) => new Ajv(options)],
];

const refuse = (message: string, cause?: unknown): AppError =>
  new AppError("invalid_request", `schema: ${message}`, { param: "schema", cause });

/**
 * Throws invalid_request unless this is a usable JSON Schema of draft 2020-12 (the default without `$schema`) or draft
 * 7: at most 64 KiB, no references to other documents, no unknown keywords, and no lookarounds or backreferences in
 * patterns. `format` is an annotation and not checked.
 */
export const checkSampleSchema = (schema: unknown): void => void compile(schema, {});

/**
 * Checks a sample against a schema that `checkSampleSchema` has accepted, up to the first problem. Throws
 * invalid_request if the schema refers to itself endlessly.
 */
export const compileSampleSchema = (schema: unknown): ((sample: unknown) => SampleProblem[]) => {
  // The meta-schema takes 12 MiB and is not needed again.
  const validate = compile(schema, { meta: false, validateSchema: false });
  return (sample) => (fits(validate, sample) ? [] : (validate.errors ?? []).map(toProblem));
};

const fits = (validate: ValidateFunction, sample: unknown): boolean => {
  try {
    return validate(sample);
  } catch (error) {
    throw refuse("it refers to itself endlessly. Check its references.", error);
  }
};

const compile = (schema: unknown, options: Options): ValidateFunction => {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) throw refuse("it must be an object.");
  if (Buffer.byteLength(JSON.stringify(schema)) > MAX_SCHEMA_BYTES) {
    throw refuse(`it is larger than ${formatBytes(MAX_SCHEMA_BYTES)}. Shorten it.`);
  }
  if ("$async" in schema) throw refuse("$async is not supported. Remove it.");
  const draft = "$schema" in schema ? String(schema.$schema) : "2020-12";
  const create = DRAFTS.find(([name]) => draft.includes(name))?.[1];
  if (!create) throw refuse(`$schema must be draft 2020-12 or draft-07, not ${draft.slice(0, 100)}.`);
  try {
    const ajv = create({ ...OPTIONS, ...options, code: { regExp: linearPatterns() } });
    if (options.validateSchema !== false && !ajv.validateSchema(schema)) throw refuse(problemsIn(ajv));
    return ajv.compile(schema);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw refuse(inWords(error instanceof Error ? error.message : String(error)), error);
  }
};

/** The first problem of a schema, by the place of its keyword. */
const problemsIn = ({ errors }: Ajv): string => {
  const [first] = errors ?? [];
  return first ? `${dotted(first.instancePath) || "it"} ${ruleOf(first)}.` : "it is not a JSON Schema.";
};

/** A message of Ajv about a schema whose keywords are fine by themselves. */
const inWords = (message: string): string => {
  const [, keyword] = /unknown keyword: "(.*)"/.exec(message) ?? [];
  if (keyword !== undefined) return `"${keyword.slice(0, 100)}" is not a keyword of JSON Schema. Check its spelling.`;
  const [, reference] = /can't resolve reference (\S+)/.exec(message) ?? [];
  if (reference === undefined) return `it can't be used: ${message.replace("strict mode: ", "").slice(0, 300)}.`;
  return `the reference ${reference.slice(0, 200)} leads nowhere. Refer to a part of this schema, such as #/$defs/name.`;
};

const toProblem = (error: ErrorObject): SampleProblem => {
  const { instancePath, keyword, params } = error;
  if (keyword === "required") {
    const path = `${instancePath}/${params.missingProperty}`;
    return { path, message: `${dotted(path)} is missing.` };
  }
  return { path: instancePath, message: `${dotted(instancePath) || "the sample"} ${ruleOf(error)}.` };
};

const MAX_LISTED_LENGTH = 200;

const TYPES: Readonly<Record<string, string>> = {
  array: "a list",
  boolean: "true or false",
  integer: "a whole number",
  number: "a number",
  object: "an object",
  string: "a string",
};

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;
const shown = (value: unknown): string => (JSON.stringify(value) ?? "").slice(0, MAX_LISTED_LENGTH);

/** What each keyword of JSON Schema requires, as words after the name of the value and "must". */
const RULES: Readonly<Record<string, (params: ErrorObject["params"]) => string>> = {
  type: ({ type }) =>
    `be ${[type]
      .flat()
      .map((name) => TYPES[name] ?? name)
      .join(" or ")}`,
  enum: ({ allowedValues }) => `be one of ${allowedValues.map(shown).join(", ").slice(0, MAX_LISTED_LENGTH)}`,
  const: ({ allowedValue }) => `be ${shown(allowedValue)}`,
  minimum: ({ limit }) => `be ${limit} or more`,
  maximum: ({ limit }) => `be ${limit} or less`,
  exclusiveMinimum: ({ limit }) => `be more than ${limit}`,
  exclusiveMaximum: ({ limit }) => `be less than ${limit}`,
  multipleOf: ({ multipleOf }) => `be a multiple of ${multipleOf}`,
  minLength: ({ limit }) => `have at least ${counted(limit, "character")}`,
  maxLength: ({ limit }) => `have at most ${counted(limit, "character")}`,
  minItems: ({ limit }) => `have at least ${counted(limit, "item")}`,
  maxItems: ({ limit }) => `have at most ${counted(limit, "item")}`,
  minProperties: ({ limit }) => `have at least ${counted(limit, "field")}`,
  maxProperties: ({ limit }) => `have at most ${counted(limit, "field")}`,
  uniqueItems: () => "not list the same item twice",
  pattern: ({ pattern }) => `match the pattern ${String(pattern).slice(0, MAX_LISTED_LENGTH)}`,
  additionalProperties: ({ additionalProperty }) => `not have the field ${shown(additionalProperty)}`,
  required: ({ missingProperty }) => `have the field ${shown(missingProperty)}`,
};

const ruleOf = ({ keyword, params, message = "does not match the schema" }: ErrorObject): string => {
  const rule = ownValue(RULES, keyword);
  return rule ? `must ${rule(params)}` : message;
};
