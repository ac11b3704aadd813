import type { TSchema } from "@sinclair/typebox";
import type { ERROR_KINDS } from "../../lib/errors";

type ErrorStatus = (typeof ERROR_KINDS)[keyof typeof ERROR_KINDS]["status"];

/**
 * What a route's `detail` says beyond Elysia's own words; `http/openapi` turns it into OpenAPI. Errors that follow from
 * the route itself (400, 401 with a key, 404 with an id, 413 with a body …) are added there.
 */
export interface RouteDocs {
  /** Schema of one event of the answer as Server-Sent Events. */
  "x-events"?: TSchema;
  /** Bodies that the route reads by itself, as they come; those with a file are forms. */
  "x-bodies"?: readonly TSchema[];
  /** Media types of the answer other than JSON. */
  "x-media-types"?: readonly string[];
  /** Further error statuses. */
  "x-errors"?: readonly ErrorStatus[];
  /** Accepts an `Idempotency-Key`; adds 409 and 422. */
  "x-idempotent"?: true;
  /** Calls a model; adds 402, 404, 502 and 504. */
  "x-generates"?: true;
}

/** The answer may be a stream of Server-Sent Events, each with this as its `data`. */
export const streams = (event: TSchema): RouteDocs => ({ "x-events": event });

/** The route reads its body by itself: nothing before it has taken it in. */
export const reads = (...bodies: TSchema[]): RouteDocs => ({ "x-bodies": bodies });

/** The answer may be a file of one of these types. */
export const downloads = (...mediaTypes: string[]): RouteDocs => ({ "x-media-types": mediaTypes });

export const fails = (...statuses: ErrorStatus[]): RouteDocs => ({ "x-errors": statuses });

/** A model is asked: what can go wrong with it, and with the budget. */
export const generates: RouteDocs = { "x-generates": true };

/** Creates something: the same `Idempotency-Key` again within 24 hours gets the first answer again. */
export const creates: RouteDocs = { "x-idempotent": true };
