import type { Static } from "@sinclair/typebox";
import type { AuditEntry, AuditEntryPage } from "../../gateway/audit/contract";
import type { Key } from "../../gateway/keys/contract";
import { type Frame, Screen } from "../layout";
import { SPANS } from "../requests/words";
import { Fields, fieldsOf, text } from "../ui/fields";
import { CursorPager, Filters, NoMatch, Table, withOther, withQuery } from "../ui/lists";
import { EmptyState, Time } from "../ui/parts";
import { actionText, changesText, entryPage, OBJECT_TYPES } from "./words";

/** Query string of the list. */
export const AuditListQuery = Fields({
  actor: text(100),
  type: text(40),
  object: text(200),
  /** One of `SPANS`. */
  span: text(10),
  after: text(20),
});
export type AuditListQuery = Static<typeof AuditListQuery>;

interface AuditPageProps extends Frame {
  page: AuditEntryPage;
  query: AuditListQuery;
  keys: readonly Pick<Key, "id" | "name">[];
}

const ANY = { value: "", label: "Any" };
/** Actors that aren't keys. */
const PROGRAMS = [{ value: "cli", label: "Command line" }];

export const AuditPage = ({ page, query, keys, ...frame }: AuditPageProps) => {
  const { after, ...filter } = query;
  const isFiltered = Object.keys(filter).length > 0;
  const { text: field, select } = fieldsOf(query);
  const actors = [ANY, ...keys.map(({ id, name }) => ({ value: id, label: name })), ...PROGRAMS];
  return (
    <Screen
      {...frame}
      title="Audit log"
      kind="wide"
      note="Who changed what, and who signed in. Entries are never changed or deleted."
      actions={
        page.data.length > 0 &&
        (["csv", "jsonl"] as const).map((format) => (
          <a class="button secondary" href={withQuery("/audit/export", { ...filter, format })} download>
            Download {format.toUpperCase()}
          </a>
        ))
      }
    >
      {(page.data.length > 0 || isFiltered || after) && (
        <Filters action="/audit">
          {select("span", "Time", [ANY, ...SPANS])}
          {select("actor", "Who", withOther(actors, query.actor))}
          {select("type", "What", withOther([ANY, ...OBJECT_TYPES], query.type))}
          {field("object", "Object id", { type: "search", maxlength: 200, autocomplete: "off", spellcheck: "false" })}
        </Filters>
      )}
      {page.data.length > 0 ? (
        <Entries entries={page.data} />
      ) : isFiltered || after ? (
        <NoMatch title="No entry matches the filters" href="/audit" link="Clear the filters" />
      ) : (
        <EmptyState title="No entries yet">
          <p>Creating a key or signing in adds the first one.</p>
        </EmptyState>
      )}
      <CursorPager path="/audit" query={filter} after={after} next={page.next_cursor} noun="entries" />
    </Screen>
  );
};

const Entries = ({ entries }: { entries: readonly AuditEntry[] }) => (
  <Table
    caption="Audit log, newest first"
    rows={entries}
    columns={[
      { name: "When", cell: ({ at }) => <Time at={at} seconds /> },
      { name: "Who", isLong: true, cell: ({ actor }) => <Actor actor={actor} /> },
      {
        name: "What",
        isLong: true,
        cell: (entry) => (
          <>
            {actionText(entry.action)}
            <p class="fine">
              <ObjectLink entry={entry} />
            </p>
          </>
        ),
      },
      { name: "Changes", isLong: true, cell: ({ changes }) => changesText(changes) },
      {
        name: "Request",
        cell: ({ request_id }) => request_id && <a href={`/requests/${request_id}`}>Open</a>,
      },
    ]}
  />
);

const Actor = ({ actor: { id, name } }: Pick<AuditEntry, "actor">) => {
  if (id === "cli") return <>Command line</>;
  if (id === "anonymous") return <>Not signed in</>;
  return <>{name === null ? id : <a href={`/keys/${id}`}>{name}</a>}</>;
};

/** The end of an id tells objects apart; its beginning is the same for all of a day. */
const ObjectLink = ({ entry }: { entry: AuditEntry }) => {
  const { id } = entry.object;
  const page = entryPage(entry);
  const short = id.length > 24 ? `${id.slice(0, 8)}…${id.slice(-6)}` : id;
  return <code title={id}>{page ? <a href={page}>{short}</a> : short}</code>;
};
