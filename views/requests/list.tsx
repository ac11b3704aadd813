import type { Static } from "@sinclair/typebox";
import type { Key } from "../../gateway/keys/contract";
import type { LoggedRequest, LoggedRequestPage } from "../../gateway/requests/contract";
import { type Frame, may, Screen } from "../layout";
import { type Choice, Fields, fieldsOf, text } from "../ui/fields";
import { CursorPager, Filters, NoMatch, Table, withOther, withQuery } from "../ui/lists";
import { EmptyState, number, Time } from "../ui/parts";
import { latency } from "../ui/quantities";
import { SPANS, statusLook } from "./words";

/** Query string of the list. */
export const RequestListQuery = Fields({
  id: text(128),
  key: text(100),
  route: text(200),
  model: text(200),
  /** A status, a class of statuses such as `5xx`, or `failed`. */
  status: text(10),
  fault: text(20),
  code: text(50),
  /** Minimum duration in milliseconds. */
  slow: text(10),
  /** One of `SPANS`. */
  span: text(10),
  after: text(200),
});
export type RequestListQuery = Static<typeof RequestListQuery>;

interface RequestsPageProps extends Frame {
  page: LoggedRequestPage;
  query: RequestListQuery;
  /** Keys to filter by: all of them for an admin, otherwise the user's own. */
  keys: readonly Pick<Key, "id" | "name">[];
  models: readonly string[];
  /** How many entries are kept, and how long. */
  retention: { days: number; rows: number };
}

const ANY = { value: "", label: "Any" };
const STATUSES: readonly Choice[] = [
  ANY,
  { value: "failed", label: "Failed" },
  { value: "2xx", label: "2xx: succeeded" },
  { value: "4xx", label: "4xx: refused" },
  { value: "429", label: "429: limit reached" },
  { value: "5xx", label: "5xx: errors" },
];
const FAULTS: readonly Choice[] = [
  ANY,
  { value: "caller", label: "Caller" },
  { value: "policy", label: "Limit or permission" },
  { value: "node", label: "GPU node" },
  { value: "gateway", label: "Gateway" },
];
const DURATIONS: readonly Choice[] = [
  ANY,
  { value: "1000", label: "Over 1 s" },
  { value: "10000", label: "Over 10 s" },
  { value: "60000", label: "Over 1 min" },
];

export const RequestsPage = ({ page, query, keys, models, retention, ...frame }: RequestsPageProps) => {
  const { after, ...filter } = query;
  const isFiltered = Object.keys(filter).length > 0;
  const { text: field, select } = fieldsOf(query);
  return (
    <Screen
      {...frame}
      title="Requests"
      kind="wide"
      note={`API calls, and page requests that failed, changed something or called a model. Kept for ${retention.days} days.`}
    >
      {(page.data.length > 0 || isFiltered || after) && (
        <Filters action="/requests">
          {/* Filters that only links set. */}
          {query.route && <input type="hidden" name="route" value={query.route} />}
          {query.code && <input type="hidden" name="code" value={query.code} />}
          {field("id", "Request id", { type: "search", maxlength: 128, autocomplete: "off", spellcheck: "false" })}
          {select("span", "Time", [ANY, ...SPANS])}
          {select("status", "Status", withOther(STATUSES, query.status))}
          {select("fault", "Fault", FAULTS)}
          {select(
            "key",
            "Key",
            withOther([ANY, ...keys.map(({ id, name }) => ({ value: id, label: name }))], query.key),
          )}
          {models.length > 0 && select("model", "Model", withOther([ANY, ...models], query.model))}
          {select("slow", "Duration", withOther(DURATIONS, query.slow))}
        </Filters>
      )}
      <LinkFilters query={query} />
      {page.data.length > 0 ? (
        <RequestTable requests={page.data} mayOpenKeys={may(frame, "admin")} />
      ) : isFiltered || after ? (
        <NoMatch title="No request matches the filters" href="/requests" link="Clear the filters" />
      ) : (
        <EmptyState title="No requests yet">
          <p>
            {retention.rows === 0
              ? "The request log is turned off: GROUNDWIRE_REQUEST_LOG_ROWS is 0."
              : "Each API call appears here within a second."}
          </p>
        </EmptyState>
      )}
      <CursorPager path="/requests" query={filter} after={after} next={page.next_cursor} noun="requests" />
    </Screen>
  );
};

/** Filters without a field, and a link that removes them. */
const LinkFilters = ({ query }: { query: RequestListQuery }) => {
  const shown = [query.route && `Route ${query.route}`, query.code && `Code ${query.code}`].filter(Boolean);
  if (shown.length === 0) return null;
  const { route: _, code: __, after: ___, ...others } = query;
  return (
    <p class="hint">
      {shown.join(", ")}.{" "}
      <a href={withQuery("/requests", others)}>Show every {query.code ? "code and route" : "route"}</a>
    </p>
  );
};

const RequestTable = ({ requests, mayOpenKeys }: { requests: readonly LoggedRequest[]; mayOpenKeys: boolean }) => (
  <Table
    caption="Requests, newest first"
    rows={requests}
    columns={[
      { name: "When", cell: ({ received_at }) => <Time at={received_at} seconds /> },
      {
        name: "Request",
        isLong: true,
        cell: ({ id, method, route }) => <a href={`/requests/${id}`}>{`${method} ${route}`}</a>,
        note: ({ model, cache }) => (model && cache === "hit" ? `${model}, cached` : (model ?? undefined)),
      },
      {
        name: "Status",
        cell: (request) => <span class={`state ${statusLook(request)}`}>{request.status}</span>,
        note: ({ error }) => error?.code ?? error?.fault_domain,
      },
      { name: "Key", isLong: true, cell: ({ key }) => <KeyLink of={key} mayOpen={mayOpenKeys} /> },
      {
        name: "Total",
        isNumeric: true,
        cell: ({ timing }) => latency(timing.total_ms),
        note: ({ timing: { ttft_ms }, usage }) =>
          ttft_ms !== null && usage.completion_tokens > 0
            ? `first token ${latency(ttft_ms).replace(" ", "\u00a0")}`
            : undefined,
      },
      {
        name: "Tokens",
        isNumeric: true,
        cell: ({ usage }) => {
          const tokens = usage.prompt_tokens + usage.completion_tokens;
          return tokens > 0 ? number(tokens) : "";
        },
      },
    ]}
  />
);

/** A key: for admins a link to it, for others its name. */
export const KeyLink = ({ of: key, mayOpen }: { of: LoggedRequest["key"]; mayOpen: boolean }) => {
  if (key === null) return <>none</>;
  const name = key.name ?? key.id;
  return <>{mayOpen ? <a href={`/keys/${key.id}`}>{name}</a> : name}</>;
};
