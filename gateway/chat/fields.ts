import { type TSchema, Type } from "@sinclair/typebox";
import { NEUTRAL, Strict, UNSUPPORTED } from "../contract";

/** An optional field. null and the values in `neutral` mean the same as omitting the field. */
export const optional = <T extends TSchema>(schema: T, ...neutral: unknown[]) =>
  Type.Optional({ ...schema, [NEUTRAL]: neutral } as T);

const exactly = (value: unknown): TSchema => {
  if (!Array.isArray(value)) return typeof value === "object" ? Strict({}) : Type.Literal(value as string);
  const item = value.length === 0 ? Type.Unknown() : Type.Literal(value[0]);
  return Type.Array(item, { minItems: value.length, maxItems: value.length });
};

/** An OpenAI field that this gateway doesn't support. It only accepts null and the neutral values. */
export const unsupported = (...neutral: unknown[]) =>
  Type.Optional(
    Type.Unsafe<undefined>(
      Type.Union([...neutral.map(exactly), Type.Null()], {
        [NEUTRAL]: neutral,
        [UNSUPPORTED]: true,
        description: "Not supported: only values without an effect are accepted",
      }),
    ),
  );

/** A hint that can't change the answer. The gateway accepts it but doesn't forward it. */
export const hint = <T extends TSchema>(schema: T) => optional(schema);

/** A field that a client library adds to a message or part; its value is ignored. */
export const ignored = Type.Optional(Type.Unknown({ [NEUTRAL]: "any", description: "Accepted and ignored" }));

/** The description of a field that only some models support, or the end of it. */
export const requires = (capability: string): string => `Only for models with the capability \`${capability}\``;
