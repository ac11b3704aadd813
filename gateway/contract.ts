import {
  FormatRegistry,
  type IntegerOptions,
  type SchemaOptions,
  type Static,
  type TObject,
  type TProperties,
  type TSchema,
  Type,
} from "@sinclair/typebox";
import { ERROR_KINDS, type ErrorKind } from "../lib/errors";
import { readTimestamp } from "../lib/timestamp";

/*
 * Wire conventions: snake_case names, times in ISO 8601 UTC, units in the name or description, and no unknown fields in
 * requests. A schema with a `title` becomes the OpenAPI component of that name wherever it is used.
 */

/**
 * Schema keyword of an optional field: the values that mean the same as omitting it (null always does), or "any" for a
 * field that is accepted and ignored.
 */
export const NEUTRAL = "neutral";

/** Schema keyword of a field that only accepts its neutral values. `validation/problems.ts` has the error message. */
export const UNSUPPORTED = "unsupported";

/**
 * Schema keyword of an object that rejects unknown fields. `additionalProperties` alone doesn't show it: Elysia adds that
 * to the schemas of responses when it sends the first one.
 */
export const STRICT = "strict";
export const STRICT_OPTIONS = { additionalProperties: false, [STRICT]: true } as const;

/** An object that rejects unknown fields. The error names them. */
export const Strict = <P extends TProperties>(properties: P, options: Record<string, unknown> = {}): TObject<P> =>
  Type.Object(properties, { ...options, ...STRICT_OPTIONS });

/** An object in responses. It is the component `title` of the OpenAPI document. */
export const Component = <P extends TProperties>(title: string, properties: P): TObject<P> =>
  Type.Object(properties, { title });

/** A string enum. */
export const OneOf = <const T extends readonly string[]>(words: T, options?: SchemaOptions) =>
  Type.Unsafe<T[number]>(
    Type.Union(
      words.map((word) => Type.Literal(word)),
      options,
    ),
  );

/** One non-blank line without control characters or surrounding spaces. `validation/problems.ts` has the error message. */
export const NAME_PATTERN = "^(?! )(?!.* $)[^\\u0000-\\u001f\\u007f-\\u00a0\\u2028\\u2029]+$";

/** A pattern for names that can be used instead of ids: as `pattern`, but a name can't look like an id. */
export const notAnId = (prefix: string, pattern: string): string => pattern.replace("^", `^(?!${prefix}_)`);

/** At least one character that isn't whitespace. `validation/problems.ts` has the error message. */
export const NOT_BLANK = "\\S";

/** A display name, for example of a key or a conversation. For requests only: stored names are shown unchanged. */
export const Name = (maxLength: number, description?: string) =>
  Type.String({ minLength: 1, maxLength, pattern: NAME_PATTERN, description });

/** A field that is always present, possibly null. */
export const Nullable = <T extends TSchema>(schema: T, options?: SchemaOptions) =>
  Type.Union([schema, Type.Null()], options);

/** ISO 8601 in UTC, like every time on the wire. Requests may use another offset. */
export const Timestamp = Type.String({ format: "date-time", examples: ["2026-11-23T20:15:00.000Z"] });
// Elysia's own check accepts other notations, and dates that don't exist.
FormatRegistry.Set("date-time", (text) => readTimestamp(text) !== undefined);

/** An id with a type prefix: `key_…`, `ds_…`. */
export const Id = (prefix: string, description?: string) =>
  Type.String({
    description,
    pattern: `^${prefix}_[0-9A-Za-z_-]{1,64}$`,
    examples: [`${prefix}_01jd8x1m9k2n3p4q5r6s7t8v9w`],
  });

/** The id in a route such as `/v1/keys/{id}`. It has no pattern: a malformed id is simply not found. */
export const PathId = Type.Object({ id: Type.String({ minLength: 1, maxLength: 100 }) });

/** A count: 0 or more. */
export const Count = (description?: string) => Type.Integer({ minimum: 0, description });

/** A duration in milliseconds. */
export const Milliseconds = (description: string) =>
  Type.Number({ minimum: 0, description: `${description}, in milliseconds` });

/** A fraction, 0 to 1. */
export const Share = (description: string) => Type.Number({ minimum: 0, maximum: 1, description });

/** An error as clients see it, in responses and in stored records. */
export const ErrorBody = Component("ErrorBody", {
  message: Type.String({
    description: "What is wrong and what to do",
    examples: ["max_tokens must be 1 or more, not -5."],
  }),
  type: Type.String({ description: "Error type as in OpenAI's API" }),
  code: OneOf(Object.keys(ERROR_KINDS) as ErrorKind[], { title: "ErrorCode" }),
  param: Nullable(Type.String(), { description: "The invalid field: `messages.0.content`" }),
  source: OneOf(["gateway", "node"], { description: "The process that rejected the request or failed" }),
  fault: Type.Optional(
    OneOf(["caller", "policy", "node", "gateway"], {
      description:
        "Where the error comes from, as in the metrics. caller: the request is invalid; policy: a limit or a missing permission; node: full, unreachable, too slow or failed. Absent in errors that earlier versions stored",
    }),
  ),
  request_id: Type.String(),
  retryable: Type.Boolean({ description: "Whether the same request may succeed later" }),
  details: Type.Array(
    Component("ErrorDetail", {
      path: Type.String({ description: "JSON pointer or column" }),
      message: Type.String(),
      line: Type.Optional(Type.Integer({ minimum: 1, description: "Line of the file, counting from 1" })),
    }),
  ),
});

export const ErrorEnvelope = Type.Object(
  { error: ErrorBody },
  { title: "ErrorEnvelope", description: "Every error response" },
);

/** An integer in a query or path, which arrives as text. `http/route-inputs.ts` converts it. */
export const NumberInUrl = (options: IntegerOptions) => Type.Integer(options);

/** Query parameters of every list: `after` is the `next_cursor` of the previous page. */
export const PageQuery = Type.Object({
  limit: Type.Optional(NumberInUrl({ minimum: 1, maximum: 100, default: 20, description: "Entries per page" })),
  after: Type.Optional(Type.String({ maxLength: 200, description: "`next_cursor` of the previous page" })),
});
export type PageQuery = Static<typeof PageQuery>;

/** Schema of every list on the wire. It is named after its entries: a list of `Key` is the component `KeyPage`. */
export const Page = <T extends TSchema>(item: T) =>
  Type.Object(
    {
      data: Type.Array(item),
      has_more: Type.Boolean({ examples: [false] }),
      next_cursor: Nullable(Type.String(), {
        description: "Value of `after` for the next page; null on the last page",
      }),
    },
    { ...(item.title !== undefined && { title: `${item.title}Page` }) },
  );
export interface Page<T> {
  data: T[];
  has_more: boolean;
  next_cursor: string | null;
}

/** A list that fits on one page. */
export const wholePage = <T>(data: T[]): Page<T> => ({ data, has_more: false, next_cursor: null });

/** A time in OpenAI's format: seconds since 1970. */
export const UnixSeconds = Type.Integer({ minimum: 0, description: "Seconds since 1970", examples: [1795464900] });

/** Schema of a list in OpenAI's format, named after its entries. The next page starts after `last_id`. */
export const IdList = <T extends TSchema>(item: T) =>
  Type.Object(
    {
      object: Type.Literal("list"),
      data: Type.Array(item),
      first_id: Nullable(Type.String()),
      last_id: Nullable(Type.String(), { description: "Value of `after` for the next page; null: the list is empty" }),
      has_more: Type.Boolean({ examples: [false] }),
    },
    { title: `${item.title}List` },
  );

/** How the cache was used, as in RFC 9211. */
export const CacheReport = Type.Object(
  {
    status: OneOf(["hit", "miss", "joined", "bypass"]),
    kind: Type.Optional(OneOf(["memory", "redis", "in_flight"])),
    reason: Type.Optional(Type.String({ description: "Why it was bypassed, or why a stored answer was not used" })),
    age: Type.Optional(Type.Integer({ minimum: 0, description: "Seconds since the answer was stored" })),
    ttl: Type.Optional(
      Type.Integer({ description: "Seconds until the stored answer expires; negative: it expired that long ago" }),
    ),
    stale: Type.Optional(Type.Boolean({ description: "true: expired, and served because nothing can be generated" })),
    key: Type.Optional(Type.String({ description: "Key of the entry, for /v1/cache" })),
    stored: Type.Optional(Type.Boolean({ description: "Whether this answer will be stored once it is complete" })),
  },
  { title: "CacheReport", examples: [{ status: "hit", kind: "memory", age: 12 }] },
);
export type CacheReport = Static<typeof CacheReport>;
