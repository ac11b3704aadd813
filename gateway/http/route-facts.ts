import type { TSchema } from "@sinclair/typebox";
import type { ERROR_KINDS } from "../../lib/errors";
import type { Role } from "../principal";

type ErrorStatus = (typeof ERROR_KINDS)[keyof typeof ERROR_KINDS]["status"];

/**
 * open: no key, and nobody asks who calls. public: no key, but a page shows who is signed in. any: every valid key.
 * Otherwise the least role.
 */
export type RouteRole = Role | "open" | "public" | "any";

/**
 * What a route declares in its `detail`, beyond Elysia's own words. `route-table.ts` collects it at start, for the gate, the
 * limits, the errors and the OpenAPI document.
 */
export interface RouteFacts {
  /** Elysia's own: not in its list of operations. */
  hide?: boolean;
  /** A route without a role is denied to everyone. */
  "x-role"?: RouteRole;
  /** Schema of one event of the answer as Server-Sent Events. */
  "x-events"?: TSchema;
  /** Bodies that the route reads by itself, as they come; those with a file are forms. */
  "x-bodies"?: readonly TSchema[];
  /** How many times as large as other bodies this one may be. */
  "x-body-factor"?: number;
  /** NUL in the body's texts is dropped; elsewhere it is refused. */
  "x-drops-nul"?: true;
  /** Uses nothing of the caller's limits, and is answered when they are used up. */
  "x-uncounted"?: true;
  /** The connection may be silent for as long as the answer takes. */
  "x-long"?: true;
  /** Asked every few seconds by machines: it is logged at the level debug. */
  "x-probe"?: true;
  /** Media types of the answer other than JSON. */
  "x-media-types"?: readonly string[];
  /** Further error statuses. */
  "x-errors"?: readonly ErrorStatus[];
  /** Accepts an `Idempotency-Key`; adds 409 and 422. */
  "x-idempotent"?: true;
  /** Calls a model; adds 402, 404, 502 and 504. */
  "x-generates"?: true;
}

/** Who may call the route. */
export const allows = (role: RouteRole): RouteFacts => ({ "x-role": role });

/** The answer may be a stream of Server-Sent Events, each with this as its `data`. */
export const streams = (event: TSchema): RouteFacts => ({ "x-events": event });

/** The route reads its body by itself: nothing before it has taken it in. */
export const reads = (...bodies: TSchema[]): RouteFacts => ({ "x-bodies": bodies });

/** The body may be this many times as large as that of other routes. */
export const readsLarge = (factor: number): RouteFacts => ({ "x-body-factor": factor });

/** The answer may be a file of one of these types. */
export const downloads = (...mediaTypes: string[]): RouteFacts => ({ "x-media-types": mediaTypes });

export const fails = (...statuses: ErrorStatus[]): RouteFacts => ({ "x-errors": statuses });

/** Its answer takes as long as a model or a worker does. */
export const runsLong: RouteFacts = { "x-long": true };

/** A model is asked: what can go wrong with it, and with the budget. */
export const generates: RouteFacts = { "x-generates": true, ...runsLong };

/** Text for a model, which is not stored as a document: text extracted from PDFs may have NUL, and models can't use it. */
export const dropsNul: RouteFacts = { "x-drops-nul": true };

/** Creates something: the same `Idempotency-Key` again within 24 hours gets the first answer again. */
export const creates: RouteFacts = { "x-idempotent": true };

export const uncounted: RouteFacts = { "x-uncounted": true };

export const probe: RouteFacts = { "x-probe": true };
