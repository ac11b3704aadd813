import { FormatRegistry, type TSchema, Type } from "@sinclair/typebox";

/* Building blocks of the schemas with which embedded engines validate requests. */

FormatRegistry.Set("well-formed", (text) => text.isWellFormed());

export const Text = Type.String({ format: "well-formed" });
export const Flag = Type.Optional(Type.Boolean());
export const Ignored = Type.Optional(Type.Unknown());
/** A parameter that is only accepted with its default, `value`. */
export const Only = <T extends string | number | boolean>(value: T) => Type.Optional(Type.Literal(value));
/** The schema of an object that rejects unknown fields. */
export const Strict = <T extends Record<string, TSchema>>(properties: T, title?: string) =>
  Type.Object(properties, { additionalProperties: false, title });
/** Error messages say "an object" for a record unless it has a description. */
export const JsonSchema = Type.Record(Type.String(), Type.Unknown(), { description: "a JSON schema" });
