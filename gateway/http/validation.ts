import { KindGuard, type TSchema } from "@sinclair/typebox";
import { type ValueError, ValueErrorType } from "@sinclair/typebox/errors";
import { AppError, type ErrorDetail } from "../../lib/errors";
import { NAME_PATTERN } from "../contract";
import { NEUTRAL, UNSUPPORTED } from "./neutral-values";

/** A message lists at most this many problems. */
const MAX_DETAILS = 10;

/** `/messages/0/content` → `messages.0.content`. */
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
  ValueErrorType.ArrayMinItems,
  ValueErrorType.ArrayMaxItems,
]);

/** A value that is none of the words that stand there. */
const isWrongWord = ({ type, schema }: ValueError): boolean =>
  type === ValueErrorType.Literal ||
  (type === ValueErrorType.Union && KindGuard.IsUnion(schema) && schema.anyOf.every(KindGuard.IsLiteral));

const depth = (error: ValueError): number => error.path.split("/").length;

/** How close a variant of a union is to what was given. */
const Closeness = { otherType: 0, otherWord: 1, otherItem: 2, rightVariant: 3 } as const;

const TYPE_PROBLEMS = new Set([
  ValueErrorType.String,
  ValueErrorType.Integer,
  ValueErrorType.Number,
  ValueErrorType.Array,
  ValueErrorType.Object,
]);

interface Variant {
  /** Its most telling problem. */
  problem: ValueError;
  closeness: (typeof Closeness)[keyof typeof Closeness];
}

const variantOf = (union: ValueError, problems: ValueError[]): Variant[] => {
  const problem = problems.find((each) => isWrongWord(each) && each.path !== union.path) ?? problems[0];
  if (!problem) return [];
  const isInnerUnion = problem.type === ValueErrorType.Union && problem.path === union.path && !isWrongWord(problem);
  if (isInnerUnion) return variantsOf(problem);
  if (problem.path === union.path) {
    return [{ problem, closeness: RANGE_PROBLEMS.has(problem.type) ? Closeness.rightVariant : Closeness.otherType }];
  }
  if (depth(problem) > depth(union) + 1) return [{ problem, closeness: Closeness.rightVariant }];
  if (isWrongWord(problem)) return [{ problem, closeness: Closeness.otherWord }];
  const isOtherItem = Array.isArray(union.value) && TYPE_PROBLEMS.has(problem.type);
  return [{ problem, closeness: isOtherItem ? Closeness.otherItem : Closeness.rightVariant }];
};

/** Which item of the union's list has the problem: a variant that got further is more likely meant. */
const itemOf = (union: ValueError, problem: ValueError): number =>
  Number(problem.path.slice(union.path.length + 1).split("/")[0]) || 0;

const variantsOf = (union: ValueError): Variant[] =>
  union.errors.flatMap((problems) => variantOf(union, [...problems]));

/** Follows a union into the variant that the caller most likely meant, as deep as it goes. */
const problemOf = (error: ValueError): ErrorDetail => {
  if (error.type !== ValueErrorType.Union || isWrongWord(error) || error.schema[UNSUPPORTED])
    return { path: error.path, message: sentence(error) };
  const variants = variantsOf(error);
  const best = Math.max(...variants.map(({ closeness }) => closeness));
  const closest = variants.filter(({ closeness }) => closeness === best).map(({ problem }) => problem);
  const isCloser = (a: ValueError, b: ValueError): boolean =>
    depth(a) === depth(b) ? itemOf(error, a) > itemOf(error, b) : depth(a) > depth(b);
  const deepest = closest.reduce((a, b) => (isCloser(b, a) ? b : a), closest[0] ?? error);
  if (best >= Closeness.otherItem) return problemOf(deepest);
  if (best === Closeness.otherType) return { path: error.path, message: sentence(error) };
  const words = closest.flatMap(({ schema }) => (KindGuard.IsUnion(schema) ? schema.anyOf : [schema]));
  return { path: deepest.path, message: mustBe(deepest, alternatives(words)) };
};

/** "a whole number", "one of "a", "b"" — a schema in words. */
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

/** "a, b or c", each once. */
const alternatives = (schemas: TSchema[]): string => {
  const words = [...new Set(schemas.map(expected))];
  return words.length === 1 ? String(words[0]) : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
};

const nameOf = (path: string): string => dotted(path) || "The body";
const mustBe = ({ path, value }: ValueError, what: string): string =>
  `${nameOf(path)} must be ${what}, not ${given(value)}.`;

const sentence = (error: ValueError): string => {
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
      return `${name} is not supported here: leave it out.`;
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
        ? `${name} is not supported: leave it out.`
        : `${name} must have at most ${schema.maxLength} characters, not ${String(value).length}.`;
    case ValueErrorType.StringPattern:
      if (schema.pattern === NAME_PATTERN) return `${name} must be one line of text without space at its ends.`;
      return `${name} must match ${schema.pattern}, not ${given(value)}.`;
    case ValueErrorType.StringFormat:
      return `${name} must be a ${schema.format}, not ${given(value)}.`;
    case ValueErrorType.ArrayMinItems:
      return `${name} must have at least ${schema.minItems} item${schema.minItems === 1 ? "" : "s"}.`;
    case ValueErrorType.ObjectMinProperties:
      return `${name} must have at least ${schema.minProperties} field${schema.minProperties === 1 ? "" : "s"}.`;
    case ValueErrorType.ObjectMaxProperties:
      return `${name} must have at most ${schema.maxProperties} field${schema.maxProperties === 1 ? "" : "s"}.`;
    case ValueErrorType.ArrayMaxItems:
      return `${name} must have at most ${schema.maxItems} items.`;
    default:
      return mustBe(error, expected(schema));
  }
};

/** TypeBox's problems in words, each field once, at most ten. Each message begins with the field in dotted form. */
export const describeErrors = (errors: Iterable<ValueError>): ErrorDetail[] => {
  const details = new Map<string, ErrorDetail>();
  for (const error of errors) {
    const problem = problemOf(error);
    // A missing field is reported twice by TypeBox: as missing and as of the wrong type.
    if (!details.has(problem.path)) details.set(problem.path, problem);
    if (details.size === MAX_DETAILS) break;
  }
  return [...details.values()];
};

/** TypeBox's problems as one `invalid_request`: `param` is the first field that is wrong, `details` lists them all. */
export const invalidRequest = (errors: Iterable<ValueError>): AppError => {
  const details = describeErrors(errors);
  // A problem of a field says more than one of the whole body.
  const [first] = details.toSorted((a, b) => Number(b.path !== "") - Number(a.path !== ""));
  return new AppError("invalid_request", first?.message ?? "The request does not fit this endpoint.", {
    param: (first && dotted(first.path)) || undefined,
    details,
  });
};
