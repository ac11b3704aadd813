import { FormatRegistry, type TSchema, Type } from "@sinclair/typebox";

/* Parts of the schemas that embedded engines validate requests with. */

FormatRegistry.Set("well-formed", (text) => text.isWellFormed());

export const Text = Type.String({ format: "well-formed" });
export const Flag = Type.Optional(Type.Boolean());
export const Ignored = Type.Optional(Type.Unknown());
/** A parameter that is accepted only with its default, `value`. */
export const Only = <T extends string | number | boolean>(value: T) => Type.Optional(Type.Literal(value));
/** The schema of an object without unknown fields. */
export const Strict = <T extends Record<string, TSchema>>(properties: T, title?: string) =>
  Type.Object(properties, { additionalProperties: false, title });
/** Error messages say "an object" for a record unless it has a description. */
export const JsonSchema = Type.Record(Type.String(), Type.Unknown(), { description: "a JSON schema" });
