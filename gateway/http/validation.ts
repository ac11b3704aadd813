import { KindGuard, type TSchema } from "@sinclair/typebox";
import { type ValueError, ValueErrorType } from "@sinclair/typebox/errors";
import { AppError, type ErrorDetail } from "../../lib/errors";

/** A message lists at most this many problems. */
const MAX_DETAILS = 10;

/** `/messages/0/content` → `messages.0.content`. */
const dotted = (pointer: string): string =>
  pointer.slice(1).replaceAll("/", ".").replaceAll("~1", "/").replaceAll("~0", "~");

const given = (value: unknown): string => {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};

const isLiteralMismatch = (error: ValueError): boolean => error.type === ValueErrorType.Literal;
const depth = (error: ValueError): number => error.path.split("/").length;

/**
 * The problem inside the variant of a union that the caller most likely meant: the one whose discriminating literals
 * fit and whose first problem lies deepest. undefined when no variant is closer than another.
 */
const deepestProblem = (union: ValueError): ValueError | undefined => {
  let best: ValueError | undefined;
  for (const variant of union.errors) {
    const problems = [...variant];
    const [first] = problems;
    if (!first || problems.some((problem) => isLiteralMismatch(problem) && problem.path !== union.path)) continue;
    const inner = first.type === ValueErrorType.Union ? (deepestProblem(first) ?? first) : first;
    const isCloser = !best || depth(inner) > depth(best) || isRangeProblem(inner) > isRangeProblem(best);
    if (isCloser) best = inner;
  }
  return best && (depth(best) > depth(union) || isRangeProblem(best)) ? best : undefined;
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
  ValueErrorType.ObjectAdditionalProperties,
  ValueErrorType.ObjectRequiredProperty,
]);
/** The type fits and only the value is out of its bounds. */
const isRangeProblem = (error: ValueError): boolean => RANGE_PROBLEMS.has(error.type);

/** "a whole number", "one of "a", "b"" — a schema in words. */
const expected = (schema: TSchema): string => {
  if (KindGuard.IsUnion(schema)) {
    const words = [...new Set(schema.anyOf.map(expected))];
    return words.length === 1 ? String(words[0]) : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
  }
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

const sentence = ({ type, schema, value, path }: ValueError): string => {
  const name = dotted(path) || "The body";
  switch (type) {
    case ValueErrorType.ObjectRequiredProperty:
      return `${name} is missing.`;
    case ValueErrorType.ObjectAdditionalProperties:
      return `${name} is not a parameter of this endpoint.`;
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
      return `${name} must match ${schema.pattern}, not ${given(value)}.`;
    case ValueErrorType.StringFormat:
      return `${name} must be a ${schema.format}, not ${given(value)}.`;
    case ValueErrorType.ArrayMinItems:
      return `${name} must have at least ${schema.minItems} item${schema.minItems === 1 ? "" : "s"}.`;
    case ValueErrorType.ArrayMaxItems:
      return `${name} must have at most ${schema.maxItems} items.`;
    default:
      return `${name} must be ${expected(schema)}, not ${given(value)}.`;
  }
};

/** TypeBox's problems as one `invalid_request`: `param` is the first field that is wrong, `details` lists them all. */
export const invalidRequest = (errors: Iterable<ValueError>): AppError => {
  const details = new Map<string, ErrorDetail>();
  for (const error of errors) {
    const problem = error.type === ValueErrorType.Union ? (deepestProblem(error) ?? error) : error;
    // A missing field is reported twice by TypeBox: as missing and as of the wrong type.
    if (!details.has(problem.path)) details.set(problem.path, { path: problem.path, message: sentence(problem) });
    if (details.size === MAX_DETAILS) break;
  }
  const [first] = details.values();
  return new AppError("invalid_request", first?.message ?? "The request does not fit this endpoint.", {
    param: first && dotted(first.path),
    details: [...details.values()],
  });
};
