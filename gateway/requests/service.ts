import { Counter, type Registry } from "prom-client";
import type { Db } from "../../db/client";
import { listKeyNames } from "../../db/keys";
import * as store from "../../db/requests";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import type { Log } from "../../lib/log";
import { pageOf, readTimeCursor, strangeCursor, timeCursor } from "../paging";
import { hasRole, type Principal } from "../principal";
import type { LoggedRequestPage, LoggedRequestWithBodies, RequestQuery } from "./contract";
import { RequestLog } from "./request-log";
import { toNewRow } from "./rows";
import { toLogged } from "./wire";

interface RequestsDeps {
  db: Db;
  log: Pick<Log, "warn">;
  config: Pick<Config, "requestLog">;
  /** Where the number of stored and lost entries is published. */
  registry: Registry;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** The request log: written by the gateway, read by routes and pages. */
export const createRequests = ({ db, log, config, registry, now = Date.now }: RequestsDeps) => {
  const options = config.requestLog;
  const written = new RequestLog({ db, log, options, now });
  publishCounts(registry, written);
  const retention = `${options.days} ${options.days === 1 ? "day" : "days"}`;

  return {
    log: written,
    retention: options,

    /** Newest first. Throws invalid_request for a cursor of another list. */
    async list(principal: Principal, { limit = 20, after, ...query }: RequestQuery): Promise<LoggedRequestPage> {
      // So that a caller finds the request that it has just sent. Other gateways' requests follow within a second.
      await written.flush();
      const filter = { ...filterOf(query), visibleTo: seesOnlyOwn(principal) ? principal.keyId : undefined };
      const rows = await store.listRequests(db, filter, limit + 1, placeOf(after));
      const names = await keyNames(db, rows);
      return pageOf(
        rows,
        limit,
        (row) => toLogged(row, names),
        ({ receivedAt, seq }) => timeCursor(receivedAt, String(seq)),
      );
    },

    /** The newest request with this id. Throws not_found. */
    async get(principal: Principal, id: string): Promise<LoggedRequestWithBodies> {
      const waiting = written.waiting(id);
      const row = waiting ? toNewRow(waiting) : await store.findRequest(db, id);
      if (!row || (row.keyId !== principal.keyId && seesOnlyOwn(principal))) {
        const reason =
          options.rows === 0
            ? "The request log is turned off (GROUNDWIRE_REQUEST_LOG_ROWS is 0)."
            : `The log keeps ${retention} and the newest ${options.rows.toLocaleString("en")} requests. It contains API calls, and page requests that failed, changed something or called a model; under high load, only a share of them.`;
        throw new AppError("not_found", `Request ${id} is not in the request log. ${reason}`, { param: "id" });
      }
      const { prompt, answer, isCut } = row;
      const hasBodies = prompt !== null;
      const maySee = row.keyId === principal.keyId || hasRole(principal.role, "admin");
      return {
        ...toLogged({ ...row, hasBodies }, await keyNames(db, [row])),
        bodies: hasBodies && maySee ? { prompt, answer: answer ?? "", cut: isCut === true } : null,
      };
    },

    open: () => written.open(),
    close: () => written.close(),
  };
};

const publishCounts = (registry: Registry, { counts }: RequestLog): void => {
  new Counter({
    name: "groundwire_request_log_entries_total",
    help: "Entries of the request log, by outcome: written to the database, or dropped",
    labelNames: ["outcome"],
    registers: [registry],
    collect() {
      this.reset();
      for (const [outcome, entries] of Object.entries(counts)) this.inc({ outcome }, entries);
    },
  });
};

export type Requests = ReturnType<typeof createRequests>;

/** A key that is limited to some models or indexes must not learn from the log which others exist. */
const seesOnlyOwn = ({ role, allowedModels, allowedIndexes }: Principal): boolean =>
  !hasRole(role, "admin") && (allowedModels !== undefined || allowedIndexes !== undefined);

const keyNames = (db: Db, rows: readonly { keyId: string | null }[]): Promise<Map<string, string>> =>
  listKeyNames(db, [...new Set(rows.flatMap(({ keyId }) => keyId ?? []))]);

const placeOf = (after: string | undefined): store.RequestPlace | undefined => {
  const place = readTimeCursor(after);
  if (place && !/^\d{1,15}$/.test(place.id)) throw strangeCursor();
  return place && { at: place.at, seq: Number(place.id) };
};

const filterOf = (query: Omit<RequestQuery, "limit" | "after">): store.RequestFilter => ({
  id: query.id,
  keyId: query.key,
  route: query.route,
  model: query.model,
  statuses: query.status === undefined ? undefined : statusesOf(query.status),
  hasFailed: query.outcome && query.outcome === "failed",
  faultDomain: query.fault_domain,
  errorCode: query.code,
  minTotalMs: query.min_total_ms,
  since: query.since === undefined ? undefined : new Date(query.since),
  until: query.until === undefined ? undefined : new Date(query.until),
});

/** "404" is one status, "4xx" all from 400 to 499. */
const statusesOf = (status: string): [first: number, last: number] => [
  Number(status.replace("xx", "00")),
  Number(status.replace("xx", "99")),
];
