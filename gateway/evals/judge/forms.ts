import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { OneOf } from "../../contract";

/** What a judge's answer is held to: reason first, verdict last, every text bounded so that it comes to its end. */

const reason = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const Verdict = OneOf(["supported", "partly", "unsupported"]);

/** One grade out of `choices`. */
export const gradeForm = (choices: readonly number[], reasonLength: number) =>
  Type.Object(
    { reason: reason(reasonLength), score: Type.Union(choices.map((choice) => Type.Literal(choice))) },
    { additionalProperties: false },
  );

/** A verdict for each of `count` claims. */
export const claimsForm = (count: number, reasonLength: number) =>
  Type.Object(
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => [
        claimName(index),
        Type.Object({ reason: reason(reasonLength), verdict: Verdict }, { additionalProperties: false }),
      ]),
    ),
    { additionalProperties: false },
  );

export const claimName = (index: number): string => `claim_${index + 1}`;

/** The answer as the form says; undefined when it is none. */
export const parse = <S extends TSchema>(form: S, text: string): Static<S> | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return Value.Check(form, value) ? value : undefined;
  } catch {
    return undefined;
  }
};
