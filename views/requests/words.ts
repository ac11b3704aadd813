import type { LoggedRequest } from "../../gateway/requests/contract";

const HOUR_MS = 3_600_000;

/** Time spans to filter by. */
export const SPANS = [
  { value: "1h", label: "Last hour", ms: HOUR_MS },
  { value: "24h", label: "Last 24 hours", ms: 24 * HOUR_MS },
  { value: "7d", label: "Last 7 days", ms: 168 * HOUR_MS },
] as const;

/** Start of a time span, in ISO 8601; undefined for an unknown one. */
export const spanStart = (span: string | undefined): string | undefined => {
  const ms = SPANS.find(({ value }) => value === span)?.ms;
  return ms === undefined ? undefined : new Date(Date.now() - ms).toISOString();
};

/** Class of a status. A failed stream has status 200. A client that left is not a failure. */
export const statusLook = ({ status, error }: Pick<LoggedRequest, "status" | "error">): string => {
  if (error === null) return "good";
  if (status === 499) return "";
  return error.fault_domain === "caller" || error.fault_domain === "policy" ? "fair" : "bad";
};

export const FAULT_WORDS: Readonly<Record<NonNullable<LoggedRequest["error"]>["fault_domain"], string>> = {
  caller: "The request was invalid, or the client disconnected",
  policy: "A limit or a missing permission refused it",
  node: "The GPU node was full, unreachable or too slow, or it failed",
  gateway: "Groundwire itself failed",
  unclassified: "An unknown kind of error in Groundwire. Please report it",
};

/** Pages of the objects that a route's path names. */
const PAGES: readonly [route: RegExp, page: string][] = [
  [/^\/(?:v1\/conversations|chat)\/:/, "/chat/"],
  [/^(?:\/v1)?\/evals\/:/, "/evals/"],
  [/^(?:\/v1)?\/batch-evals\/:/, "/batch-evals/"],
  [/^\/(?:v1\/rag\/indexes|rag)\/:/, "/rag/"],
  [/^(?:\/v1)?\/datasets\/:/, "/datasets/"],
  [/^(?:\/v1)?\/keys\/:/, "/keys/"],
  [/^(?:\/v1)?\/requests\/:/, "/requests/"],
  [/^(?:\/v1)?\/webhooks\/:/, "/webhooks/"],
];

/** The page of the object in the request's path; undefined if it has none. */
export const objectPage = ({ route, object }: Pick<LoggedRequest, "route" | "object">): string | undefined => {
  const page = PAGES.find(([pattern]) => pattern.test(route))?.[1];
  return object === null || page === undefined ? undefined : page + encodeURIComponent(object);
};
