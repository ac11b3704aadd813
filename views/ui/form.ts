import { type TProperties, Type } from "@sinclair/typebox";

/** Fields of a form or a query string. What else a browser sends, such as another field of the same form, is ignored. */
export const Fields = <P extends TProperties>(properties: P) => Type.Object(properties, { additionalProperties: true });
