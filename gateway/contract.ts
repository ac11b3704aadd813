import { type Static, type TObject, type TProperties, type TSchema, Type } from "@sinclair/typebox";
import { ERROR_KINDS } from "../lib/errors";

/** An object that refuses unknown fields by name. */
export const Strict = <P extends TProperties>(properties: P, options: Record<string, unknown> = {}): TObject<P> =>
  Type.Object(properties, { ...options, additionalProperties: false });

/** ISO 8601 in UTC, as every time on the wire. */
export const Timestamp = Type.String({ format: "date-time", examples: ["2026-11-23T20:15:00.000Z"] });

export const ErrorEnvelope = Type.Object(
  {
    error: Type.Object({
      message: Type.String({ description: "What was wrong and what to do" }),
      type: Type.String(),
      code: Type.Union(Object.keys(ERROR_KINDS).map((kind) => Type.Literal(kind))),
      param: Type.Union([Type.String(), Type.Null()]),
      source: Type.Union([Type.Literal("gateway"), Type.Literal("node")]),
      request_id: Type.String(),
      retryable: Type.Boolean(),
      details: Type.Array(
        Type.Object({ path: Type.String(), message: Type.String(), line: Type.Optional(Type.Integer({ minimum: 1 })) }),
      ),
    }),
  },
  {
    description: "Every refusal and failure",
    examples: [
      {
        error: {
          message: "max_tokens must be 1 or more, not -5.",
          type: "invalid_request_error",
          code: "invalid_request",
          param: "max_tokens",
          source: "gateway",
          request_id: "req_01jd8x1m9k2n3p4q5r6s7t8v9w",
          retryable: false,
          details: [],
        },
      },
    ],
  },
);

/** Query of every list: `after` is the `next_cursor` of the page before. */
export const PageQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20 })),
  after: Type.Optional(Type.String({ maxLength: 200 })),
});
export type PageQuery = Static<typeof PageQuery>;

/** Every list on the wire. */
export const Page = <T extends TSchema>(item: T) =>
  Type.Object({
    data: Type.Array(item),
    has_more: Type.Boolean(),
    next_cursor: Type.Union([Type.String(), Type.Null()]),
  });
