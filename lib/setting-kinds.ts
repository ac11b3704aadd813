import { Type } from "@sinclair/typebox";

/** An address, or a network such as 10.1.0.0/16. */
export const NETWORK = "^[0-9A-Fa-f:.]+(/\\d{1,3})?$";

/*
 * The kinds of settings in `lib/config.ts`. `env` is the variable. `secret` values are masked in all output, `file` values
 * are resolved against the working directory of the process, and `expected` describes a pattern in words.
 */
export const text = (env: string, description: string, options: object = {}) =>
  Type.String({ env, description, ...options });
export const optionalText = (env: string, description: string, options: object = {}) =>
  Type.Optional(Type.String({ env, description, minLength: 1, ...options }));
export const whole = (env: string, description: string, value: number, minimum: number, maximum: number) =>
  Type.Integer({ env, description, minimum, maximum, default: value });
export const optionalWhole = (env: string, description: string, minimum: number, maximum: number) =>
  Type.Optional(Type.Integer({ env, description, minimum, maximum }));
export const flag = (env: string, description: string, value: boolean) =>
  Type.Boolean({ env, description, default: value });
export const choice = <const T extends string>(env: string, description: string, values: readonly T[], value: T) =>
  Type.Unsafe<T>(
    Type.Union(
      values.map((name) => Type.Literal(name)),
      { env, description, default: value },
    ),
  );
export const webAddress = {
  pattern: "^https?://[^\\s/]+",
  expected: "an address that begins with http:// or https://",
};
