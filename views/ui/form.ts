import { type TProperties, Type } from "@sinclair/typebox";
import { t } from "elysia";

/** Fields of a form or a query string. Other fields that a browser sends are ignored. */
export const Fields = <P extends TProperties>(properties: P) => Type.Object(properties, { additionalProperties: true });

/** A field that may be left out. */
export const text = (maxLength: number) => t.Optional(t.String({ maxLength }));
