import type { NewRequestRow, RequestDetail } from "../../db/requests";
import { round } from "../../lib/round";
import { errorKindOf, faultDomainOf, isFailure } from "../metrics/fault-domain";
import type { FinishedRequest } from "../ports/recorder";
import { answerText } from "./answer-text";

/** A finished request and the time at which it finished, in milliseconds since 1970. */
export interface Entry {
  request: FinishedRequest;
  finishedAt: number;
  /** It replaces an earlier line, which may be in the database. */
  isReplacement: boolean;
}

export const toNewRow = ({ request, finishedAt }: Entry): NewRequestRow => {
  const { route, status, durationMs, requestId, keyId, work, model, bodies } = request;
  const hasFailed = isFailure(request) || request.errorKind !== undefined || status === 499;
  const kind = hasFailed ? errorKindOf(request) : undefined;
  return {
    id: requestId,
    receivedAt: new Date(finishedAt - durationMs),
    route,
    status,
    faultDomain: hasFailed ? faultDomainOf(kind) : null,
    keyId: keyId ?? null,
    model: work?.model ?? model ?? null,
    totalMs: round(durationMs, 2),
    detail: detailOf(request, kind),
    isCut: bodies?.isCut ?? null,
    // A cut text may end within a character. The database stores valid text, and a line is also read before it is stored.
    prompt: bodies?.prompt.toWellFormed() ?? null,
    answer: bodies ? answerText(route, bodies.answer).toWellFormed() : null,
  };
};

const detailOf = ({ method, route, url, via, work }: FinishedRequest, code: string | undefined): RequestDetail => ({
  // A method is any token that the caller makes up.
  method: method.slice(0, 20),
  object: objectOf(route, url),
  code,
  via,
  node: work?.node,
  stream: work?.stream,
  cache: work?.cache.status,
  calls: work && (work.calls ?? 1),
  attempts: work?.node === undefined ? undefined : 1 + (work.retries ?? 0),
  gatewayMs: rounded(work?.gatewayMs),
  queueMs: rounded(work?.queueMs),
  ttftMs: rounded(work?.ttftMs),
  promptTokens: work?.promptTokens,
  completionTokens: work?.completionTokens,
});

const rounded = (ms: number | undefined): number | undefined => ms && round(ms, 2);

/** Ids and names in the form that our routes use. Anything else in a path could have any length and content. */
const OBJECT = /^[\w.@-]{1,100}$/;

/** The first parameter in the path of a route with parameters. */
const objectOf = (route: string, url: string): string | undefined => {
  if (!route.includes(":")) return undefined;
  const place = route.split("/").findIndex((part) => part.startsWith(":"));
  // "https://host/v1/…": the path's parts come two places later.
  const part = url.split("/", place + 3)[place + 2]?.split("?", 1)[0] ?? "";
  return OBJECT.test(part) ? part : undefined;
};
