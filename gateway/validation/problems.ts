import { KindGuard, type TSchema } from "@sinclair/typebox";
import { type ValueError, ValueErrorType } from "@sinclair/typebox/errors";
import { AppError, type ErrorDetail } from "../../lib/errors";
import { nearest } from "../../lib/nearest";
import { NAME_PATTERN, NEUTRAL, NOT_BLANK, UNSUPPORTED } from "../contract";
import { patternInWords, splitPattern } from "./patterns";

/** Maximum number of problems listed in a message. */
const MAX_DETAILS = 10;
/** Maximum number of known fields listed in a message. */
const MAX_FIELDS = 20;
/** No field name is longer than this. Longer names get no suggestion, because the search takes quadratic time. */
const MAX_NAME_LENGTH = 64;

/** Converts a JSON pointer to a dotted path: `messages.0.content` for `/messages/0/content`. */
export const dotted = (pointer: string): string =>
  pointer.slice(1).replaceAll("/", ".").replaceAll("~1", "/").replaceAll("~0", "~");

const given = (value: unknown): string => {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};

const RANGE_PROBLEMS = new Set([
  ValueErrorType.IntegerMinimum,
  ValueErrorType.IntegerMaximum,
  ValueErrorType.NumberMinimum,
  ValueErrorType.NumberMaximum,
  ValueErrorType.StringMinLength,
  ValueErrorType.StringMaxLength,
  ValueErrorType.StringPattern,
  ValueErrorType.StringFormat,
  ValueErrorType.ArrayMinItems,
  ValueErrorType.ArrayMaxItems,
]);

/** Whether a value is not one of the allowed literals. */
const isWrongWord = ({ type, schema }: ValueError): boolean =>
  type === ValueErrorType.Literal ||
  (type === ValueErrorType.Union && KindGuard.IsUnion(schema) && schema.anyOf.every(KindGuard.IsLiteral));

const isUnknownField = ({ type }: ValueError): boolean => type === ValueErrorType.ObjectAdditionalProperties;

const depth = (error: ValueError): number => error.path.split("/").length;

/** How closely a variant of a union matches the value. */
const Closeness = { otherType: 0, otherWord: 1, otherItem: 2, rightVariant: 3 } as const;

const TYPE_PROBLEMS = new Set([
  ValueErrorType.String,
  ValueErrorType.Integer,
  ValueErrorType.Number,
  ValueErrorType.Array,
  ValueErrorType.Object,
]);

interface Variant {
  /** The variant's most informative problem. */
  problem: ValueError;
  problemCount: number;
  closeness: (typeof Closeness)[keyof typeof Closeness];
}

const variantOf = (union: ValueError, problems: ValueError[]): Variant[] => {
  const wrongWord = problems.find((each) => isWrongWord(each) && each.path !== union.path);
  const problem = wrongWord ?? problems.find(isUnknownField) ?? problems[0];
  if (!problem) return [];
  const isInnerUnion = problem.type === ValueErrorType.Union && problem.path === union.path && !isWrongWord(problem);
  if (isInnerUnion) return variantsOf(problem);
  return [{ problem, problemCount: problems.length, closeness: closenessOf(union, problem) }];
};

const closenessOf = (union: ValueError, problem: ValueError): Variant["closeness"] => {
  if (problem.path === union.path) {
    return RANGE_PROBLEMS.has(problem.type) ? Closeness.rightVariant : Closeness.otherType;
  }
  if (depth(problem) > depth(union) + 1) return Closeness.rightVariant;
  if (isWrongWord(problem)) return Closeness.otherWord;
  const isOtherItem = Array.isArray(union.value) && TYPE_PROBLEMS.has(problem.type);
  return isOtherItem ? Closeness.otherItem : Closeness.rightVariant;
};

/** The index of the list item that has the problem. A variant that matches more items is more likely the intended one. */
const itemOf = (union: ValueError, problem: ValueError): number =>
  Number(problem.path.slice(union.path.length + 1).split("/")[0]) || 0;

const variantsOf = (union: ValueError): Variant[] =>
  union.errors.flatMap((problems) => variantOf(union, [...problems]));

/** Follows nested unions into the variant that the caller most likely meant. */
const problemOf = (error: ValueError, noun: Noun): ErrorDetail => {
  if (error.type !== ValueErrorType.Union || isWrongWord(error) || error.schema[UNSUPPORTED]) {
    return { path: error.path, message: sentence(error, noun) };
  }
  const variants = variantsOf(error);
  const best = Math.max(...variants.map(({ closeness }) => closeness));
  const closest = variants.filter(({ closeness }) => closeness === best);
  /** Prefers deeper problems, then problems later in a list, then variants with fewer problems. */
  const isCloser = (a: Variant, b: Variant): boolean => {
    const difference =
      depth(a.problem) - depth(b.problem) ||
      itemOf(error, a.problem) - itemOf(error, b.problem) ||
      b.problemCount - a.problemCount;
    return difference > 0;
  };
  const deepest = closest.reduce((a, b) => (isCloser(b, a) ? b : a), closest[0] as Variant)?.problem ?? error;
  if (best >= Closeness.otherItem) return problemOf(deepest, noun);
  if (best === Closeness.otherType) return { path: error.path, message: sentence(error, noun) };
  const words = closest.flatMap(({ problem: { schema } }) => (KindGuard.IsUnion(schema) ? schema.anyOf : [schema]));
  return { path: deepest.path, message: mustBe(deepest, alternatives(words)) };
};

/** Describes a schema: "a whole number", "one of "a", "b"". */
const expected = (schema: TSchema): string => {
  if (KindGuard.IsUnion(schema)) return alternatives(schema.anyOf);
  if (KindGuard.IsLiteral(schema)) return JSON.stringify(schema.const);
  if (KindGuard.IsInteger(schema)) return "a whole number";
  if (KindGuard.IsNumber(schema)) return "a number";
  if (KindGuard.IsString(schema)) return "a string";
  if (KindGuard.IsBoolean(schema)) return "true or false";
  if (KindGuard.IsNull(schema)) return "null";
  if (KindGuard.IsArray(schema)) return "a list";
  if (Array.isArray(schema.enum)) return `one of ${schema.enum.map((value) => JSON.stringify(value)).join(", ")}`;
  return "an object";
};

/** Lists alternatives without duplicates: "a, b or c". */
const alternatives = (schemas: TSchema[]): string => {
  const words = [...new Set(schemas.map(expected))];
  return words.length === 1 ? String(words[0]) : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
};

const nameOf = (path: string): string => dotted(path) || "The body";
const mustBe = ({ path, value }: ValueError, what: string): string =>
  `${nameOf(path)} must be ${what}, not ${given(value)}.`;

/** The noun for an unknown part of a request in the error. */
type Noun = "field" | "parameter";

/**
 * "`question` is not a field of `sample`. Did you mean …? Fields: input, references." `known` lists the valid names;
 * `owner` is the dotted path of the object, empty for the request itself.
 */
export const unknownField = (name: string, owner: string, known: readonly string[], noun: Noun = "field"): string => {
  const short = name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH - 1)}…` : name;
  const near = name.length > MAX_NAME_LENGTH ? undefined : nearest(name, known);
  const more = known.length > MAX_FIELDS ? ` and ${known.length - MAX_FIELDS} more` : "";
  const list = known.length > 0 ? `${known.slice(0, MAX_FIELDS).join(", ")}${more}` : "none";
  return [
    `\`${short}\` is not a ${noun} of ${owner ? `\`${owner}\`` : "this request"}.`,
    ...(near === undefined ? [] : [`Did you mean \`${near}\`?`]),
    `${noun === "field" ? "Fields" : "Parameters"}: ${list}.`,
  ].join(" ");
};

const unknownFieldOf = ({ path, schema }: ValueError, noun: Noun): string => {
  const at = path.lastIndexOf("/");
  return unknownField(dotted(path.slice(at)), dotted(path.slice(0, at)), Object.keys(schema.properties ?? {}), noun);
};

/** Ends a message with the known fields: ". Fields: model, tag." */
const fieldsOf = ({ properties }: TSchema): string =>
  properties ? `. Fields: ${Object.keys(properties).join(", ")}.` : ".";

const patternProblem = (name: string, schema: TSchema, value: unknown): string => {
  const { pattern, idPrefix } = splitPattern(schema.pattern);
  if (idPrefix && String(value).startsWith(idPrefix)) return `${name} must not start with ${idPrefix}, as ids do.`;
  if (pattern === NAME_PATTERN) return `${name} must be one line of text without leading or trailing spaces.`;
  if (pattern === NOT_BLANK) return `${name} must not be blank.`;
  return `${name} must ${patternInWords({ ...schema, pattern })}, not ${given(value)}.`;
};

const sentence = (error: ValueError, noun: Noun): string => {
  const { type, schema, value, path } = error;
  const name = nameOf(path);
  if (schema[UNSUPPORTED]) {
    const neutral = [...schema[NEUTRAL], null].map((value) => JSON.stringify(value));
    return `${name} is not supported. Leave it out, or send ${neutral.join(" or ")}.`;
  }
  switch (type) {
    case ValueErrorType.ObjectRequiredProperty:
      return `${name} is missing.`;
    case ValueErrorType.ObjectAdditionalProperties:
      return unknownFieldOf(error, noun);
    case ValueErrorType.IntegerMinimum:
    case ValueErrorType.NumberMinimum:
      return `${name} must be ${schema.minimum} or more, not ${given(value)}.`;
    case ValueErrorType.IntegerMaximum:
    case ValueErrorType.NumberMaximum:
      return schema.minimum === schema.maximum
        ? `${name} must be ${schema.maximum}, not ${given(value)}.`
        : `${name} must be ${schema.maximum} or less, not ${given(value)}.`;
    case ValueErrorType.StringMinLength:
      return `${name} must have at least ${schema.minLength} character${schema.minLength === 1 ? "" : "s"}.`;
    case ValueErrorType.StringMaxLength:
      return schema.maxLength === 0
        ? `${name} is not supported. Leave it out.`
        : `${name} must have at most ${schema.maxLength} characters, not ${String(value).length}.`;
    case ValueErrorType.StringPattern:
      return patternProblem(name, schema, value);
    case ValueErrorType.StringFormat:
      return mustBe(error, `an existing date and time such as ${schema.examples?.[0]}`);
    case ValueErrorType.ArrayMinItems:
      return `${name} must have at least ${schema.minItems} item${schema.minItems === 1 ? "" : "s"}.`;
    case ValueErrorType.ObjectMinProperties:
      return `${name} must have at least ${schema.minProperties} field${schema.minProperties === 1 ? "" : "s"}${fieldsOf(schema)}`;
    case ValueErrorType.ObjectMaxProperties:
      return `${name} must have at most ${schema.maxProperties} field${schema.maxProperties === 1 ? "" : "s"}${fieldsOf(schema)}`;
    case ValueErrorType.ArrayMaxItems:
      return `${name} must have at most ${schema.maxItems} items.`;
    case ValueErrorType.ArrayUniqueItems:
      return `${name} must not list the same item twice.`;
    default:
      return mustBe(error, expected(schema));
  }
};

/** TypeBox's errors as sentences: one per field, at most ten, unknown fields first. */
export const describeErrors = (errors: Iterable<ValueError>, noun: Noun = "field"): ErrorDetail[] => {
  const unknown = new Map<string, ErrorDetail>();
  const others = new Map<string, ErrorDetail>();
  for (const error of errors) {
    const problem = problemOf(error, noun);
    const details = isUnknownField(error) ? unknown : others;
    // TypeBox reports a missing field twice: as missing, and as having the wrong type.
    if (!details.has(problem.path)) details.set(problem.path, problem);
    if (unknown.size + others.size === MAX_DETAILS) break;
  }
  return [...unknown.values(), ...others.values()];
};

/**
 * Converts TypeBox's problems to one `invalid_request`: `param` is the first invalid field, and `details` lists all of
 * them.
 */
export const invalidRequest = (errors: Iterable<ValueError>, noun?: Noun): AppError => {
  const details = describeErrors(errors, noun);
  // A problem with a field is more helpful than one with the whole body.
  const [first] = details.toSorted((a, b) => Number(b.path !== "") - Number(a.path !== ""));
  return new AppError("invalid_request", first?.message ?? "The request does not match this endpoint's schema.", {
    param: (first && dotted(first.path)) || undefined,
    details,
  });
};
