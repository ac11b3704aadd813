import type { TSchema } from "@sinclair/typebox";
import type { AppError, ERROR_KINDS } from "../../lib/errors";
import type { Principal, Role } from "../principal";

type ErrorStatus = (typeof ERROR_KINDS)[keyof typeof ERROR_KINDS]["status"];

/**
 * open: needs no key and never identifies the caller. public: needs no key, but a page shows who is signed in. any:
 * accepts every valid key. Otherwise the minimum role.
 */
export type RouteRole = Role | "open" | "public" | "any";

/** The error responses of a route whose clients expect a format other than the envelope. */
export interface ErrorFormat {
  /** Schema of the body. */
  schema: TSchema;
  body(error: AppError, requestId: string): object;
  /** Headers in addition to those that every error has. */
  headers?(requestId: string): Record<string, string>;
}

type MismatchHook = (body: unknown, principal: Principal) => void;

/**
 * What a route declares in its `detail`, in addition to Elysia's own fields. `route-table.ts` collects these facts on
 * the first request, for the gate, the limits, the errors and the OpenAPI document.
 */
export interface RouteFacts {
  /** Elysia's own field, unused. Without it, TypeScript rejects an object with only these facts as a `detail`. */
  hide?: boolean;
  /** A route without a role is denied to everyone. */
  "x-role"?: RouteRole;
  /** Schema of one event, if the response can be a stream of Server-Sent Events. */
  "x-events"?: TSchema;
  /** Schemas of the bodies that the route itself reads as they arrive. Those with a file are forms. */
  "x-bodies"?: readonly TSchema[];
  /** Multiplies the maximum size of the body. */
  "x-body-factor"?: number;
  /**
   * Returns the length of the images and audio in a parsed body, which may be invalid, in bytes of base64. If the
   * caller has a model that reads them, the body may exceed the ordinary limit by this length.
   */
  "x-media-bytes"?: (body: unknown) => number;
  /** Drops NUL from the body's text. Other routes reject it. */
  "x-drops-nul"?: true;
  /** Doesn't count against the caller's limits, and still works when they are exhausted. */
  "x-uncounted"?: true;
  /** The connection may stay idle until the response is ready. */
  "x-long"?: true;
  /** Runs without Elysia's hooks; see `http/plugin.ts`. */
  "x-direct"?: true;
  /**
   * Called with a body that doesn't match the route's schema. May change the body, which is then checked again, or
   * throw a better error than the schema's.
   */
  "x-mismatch"?: MismatchHook;
  /** Also accepts calls of jobs workers, which work for a key. */
  "x-worker"?: true;
  /** Polled every few seconds by machines: logged at debug level. */
  "x-probe"?: true;
  /** Media types of the response other than JSON. */
  "x-media-types"?: readonly string[];
  "x-errors"?: readonly ErrorStatus[];
  /** undefined: errors are envelopes. */
  "x-error-format"?: ErrorFormat;
  /** Accepts an `Idempotency-Key`; adds 409 and 422. */
  "x-idempotent"?: true;
  /** Calls a model; adds 404, 502 and 504. */
  "x-generates"?: true;
}

export const allows = (role: RouteRole): RouteFacts => ({ "x-role": role });

export const streams = (event: TSchema): RouteFacts => ({ "x-events": event });

export const reads = (...bodies: TSchema[]): RouteFacts => ({ "x-bodies": bodies });

export const readsLarge = (factor: number): RouteFacts => ({ "x-body-factor": factor });

export const readsMedia = (bytesIn: (body: unknown) => number): RouteFacts => ({ "x-media-bytes": bytesIn });

export const downloads = (...mediaTypes: string[]): RouteFacts => ({ "x-media-types": mediaTypes });

export const fails = (...statuses: ErrorStatus[]): RouteFacts => ({ "x-errors": statuses });

export const errorsAs = (format: ErrorFormat): RouteFacts => ({ "x-error-format": format });

export const runsLong: RouteFacts = { "x-long": true };

export const generates: RouteFacts = { "x-generates": true, ...runsLong };

/** For text that only a model reads. Text extracted from PDFs may contain NUL, which models can't use. */
export const dropsNul: RouteFacts = { "x-drops-nul": true };

/** The route creates something. Repeating an `Idempotency-Key` within 24 hours returns the first response again. */
export const creates: RouteFacts = { "x-idempotent": true };

export const uncounted: RouteFacts = { "x-uncounted": true };

/**
 * The route runs without Elysia's hooks, which cost as much as the rest of a cached answer. Its handler gets `body`,
 * `principal` and `exchange`, and returns a Response that finishes the exchange.
 */
export const direct: RouteFacts = { "x-direct": true };

export const onMismatch = (hook: MismatchHook): RouteFacts => ({ "x-mismatch": hook });

export const servesWorkers: RouteFacts = { "x-worker": true };

export const probe: RouteFacts = { "x-probe": true };
