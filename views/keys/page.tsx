import type { Key, KeyWithSecret } from "../../gateway/keys/contract";
import type { LimitsExplanation } from "../../gateway/limits/contract";
import type { NumberedPage } from "../../gateway/paging";
import { type Frame, Screen } from "../layout";
import { Form, fieldsOf, type Problems } from "../ui/fields";
import { List } from "../ui/lists";
import { ButtonLink, CopyButton, Facts, number, Panel, Time } from "../ui/parts";
import { confirmationOf, ROLE_WORDS, STORAGE_WORDS, storageOf } from "./form";
import { KEYS, KeyLimits } from "./limits";

/** Sortable columns: the values of `sort`. */
export const SORT_KEYS = ["name", "role", "created", "used", "expires"] as const;

const Never = ({ at }: { at: string | null }) => (at ? <Time at={at} /> : "Never");

interface KeysPageProps extends Frame {
  keys: NumberedPage<Key>;
  /** Newest successor of each rotated key, both by id. */
  successors: ReadonlyMap<string, string>;
  sort: { by: (typeof SORT_KEYS)[number]; isDescending: boolean };
  notice: string;
}

export const KeysPage = ({ keys, successors, sort, ...frame }: KeysPageProps) => (
  <Screen
    {...frame}
    title="Keys"
    note="Give each person and program a separate key, so that you can limit or revoke it without affecting the others."
    actions={<ButtonLink href="/keys/new" icon="plus" text="Create key" />}
  >
    <List
      page={keys}
      noun="key"
      caption="Keys"
      path="/keys"
      query={{ sort: `${sort.isDescending ? "-" : ""}${sort.by}` }}
      sort={sort}
      columns={[
        { name: "Name", sortKey: "name", isLong: true, cell: ({ id, name }) => <a href={`/keys/${id}`}>{name}</a> },
        { name: "Role", sortKey: "role", cell: ({ role }) => role },
        {
          name: "State",
          cell: ({ status }) => <KeyState status={status} />,
          note: ({ id }) => (successors.has(id) ? "rotated" : undefined),
        },
        { name: "Requests/min", isNumeric: true, cell: ({ limits }) => number(limits.requests_per_minute) },
        { name: "Parallel", isNumeric: true, cell: ({ limits }) => number(limits.parallel_requests) },
        { name: "Created", sortKey: "created", cell: ({ created_at }) => <Time at={created_at} /> },
        { name: "Last used", sortKey: "used", cell: ({ last_used_at }) => <Never at={last_used_at} /> },
        { name: "Expires", sortKey: "expires", cell: ({ expires_at }) => <Never at={expires_at} /> },
      ]}
    />
  </Screen>
);

const KeyState = ({ status }: Pick<Key, "status">) => (
  <span class={`state ${status === "active" ? "good" : "off"}`}>{status}</span>
);

interface SecretPageProps extends Frame {
  issued: KeyWithSecret;
  /** When the key that this one replaces expires. */
  olderExpiresAt?: string | null;
  unknownModels: readonly string[];
}

/** The only page that ever shows a key. */
export const SecretPage = ({ issued: { name, key }, olderExpiresAt, unknownModels, ...frame }: SecretPageProps) => (
  <Screen
    {...frame}
    title="Store the key"
    heading={`Store the key for ${name}`}
    note="Copy it now. It is shown only once, because only its fingerprint is stored."
  >
    <UnknownModels names={unknownModels} />
    <div class="card">
      <p class="secret">
        <code id="secret">{key}</code>
        <CopyButton text={key} label="Copy key" />
      </p>
      {olderExpiresAt && (
        <p class="hint">
          The older key works until <Time at={olderExpiresAt} />.
        </p>
      )}
      <form class="form-end" method="get" action="/keys">
        <button type="submit">I stored it</button>
      </form>
    </div>
  </Screen>
);

/** Warns about models in a key's settings and limits that no node serves: a typo, or a model that isn't loaded yet. */
const UnknownModels = ({ names }: { names: readonly string[] }) =>
  names.length > 0 && (
    <Panel
      role="status"
      title={names.length === 1 ? "A model of this key is unknown" : "Some models of this key are unknown"}
    >
      No node serves {names.map((name, index) => [index > 0 && ", ", <code>{name}</code>])} right now. The key’s
      settings and limits apply as soon as one does. If a name is misspelled, correct it in the settings or limits.
    </Panel>
  );

/** Shown for a form that was submitted twice: the first request created the key, whose secret can't be shown again. */
export const KeyExistsPage = ({ record, ...frame }: Frame & { record: Key }) => (
  <Screen {...frame} title="This key already exists">
    <div class="card">
      <p>
        This form was already submitted and created <a href={`/keys/${record.id}`}>{record.name}</a>. Its secret was
        shown once and cannot be shown again. If you did not store it, rotate or revoke the key.
      </p>
      <div class="form-end">
        <ButtonLink href={`/keys/${record.id}`} text="Open the key" />
        <a href="/keys/new">Create another key</a>
      </div>
    </div>
  </Screen>
);

interface KeyPageProps extends Frame {
  record: Key;
  replacedBy?: string;
  unknownModels: readonly string[];
  /** Id of the new key if this one is rotated. */
  successorId: string;
  explanation: LimitsExplanation;
  notice: string;
  problems?: Problems;
}

/** One key: its settings and limits, and the forms that end its sessions, rotate it or revoke it. */
export const KeyPage = ({
  record,
  replacedBy,
  unknownModels,
  successorId,
  explanation,
  problems,
  ...frame
}: KeyPageProps) => (
  <Screen
    {...frame}
    title={record.name}
    trail={[KEYS]}
    problems={problems}
    note={<KeyState status={record.status} />}
    actions={
      !record.is_bootstrap &&
      record.status !== "revoked" && (
        <ButtonLink href={`/keys/${record.id}/settings`} icon="edit" text="Edit settings" look="button secondary" />
      )
    }
  >
    <UnknownModels names={unknownModels} />
    <Facts
      look="card facts-list"
      rows={[
        ["Id", <code>{record.id}</code>],
        ["Replaced by", replacedBy && <a href={`/keys/${replacedBy}`}>{replacedBy}</a>],
        ["Replaces", record.rotated_from && <a href={`/keys/${record.rotated_from}`}>{record.rotated_from}</a>],
        ["Role", ROLE_WORDS[record.role] ?? record.role],
        ["Models", record.allowed_models?.join(", ") ?? "Every model"],
        ["Document indexes", record.allowed_indexes?.join(", ") ?? "Every index"],
        ["Created", <Time at={record.created_at} />],
        ["Last used", <Never at={lastUsedAt(record, explanation)} />],
        ["Expires", <Never at={record.expires_at} />],
        ["Prompts and answers", STORAGE_WORDS[storageOf(record)]],
        ["Activity", <Activity id={record.id} />],
      ]}
    />
    <KeyLimits record={record} explanation={explanation} />
    {record.is_bootstrap && (
      <p class="hint">This key is set in the gateway’s environment. Change or remove it there.</p>
    )}
    {record.status === "active" && (
      <div class="columns">
        <EndSessions record={record} />
        {!record.is_bootstrap && <Endings {...{ record, replacedBy, successorId, problems }} />}
      </div>
    )}
  </Screen>
);

/** The key's own time is stored once a minute; the limits of this gateway know each request. */
const lastUsedAt = ({ last_used_at: stored }: Key, { consumers: [latest] }: LimitsExplanation): string | null =>
  latest && (stored === null || latest.last_used_at > stored) ? latest.last_used_at : stored;

const Activity = ({ id }: { id: string }) => (
  <>
    <a href={`/requests?key=${id}`}>Requests</a>, <a href={`/audit?actor=${id}`}>changes by it</a>,{" "}
    <a href={`/audit?object=${id}`}>changes to it</a>
  </>
);

/** For a lost laptop: ends the key's sessions in every browser. Programs that use the key are not affected. */
const EndSessions = ({ record }: Pick<KeyPageProps, "record">) => (
  <Form action={`/keys/${record.id}/end-sessions`} submit="End sessions" kind="secondary">
    <h2>Sessions</h2>
    <p>Signs out every browser that uses this key. The key itself keeps working.</p>
  </Form>
);

/** Hours during which both keys work. */
export const OVERLAPS = ["0", "1", "24"] as const;
const OVERLAP_WORDS = { 0: "Immediately", 1: "In 1 hour", 24: "In 24 hours" } as const;

type EndingsProps = Pick<KeyPageProps, "record" | "successorId" | "problems" | "replacedBy">;

/** A key can be rotated only once: rotating it again would leave two successors in use. */
const Endings = ({ record, replacedBy, successorId, problems }: EndingsProps) => {
  const { text, select } = fieldsOf({ overlap: "1" }, problems);
  const overlaps = OVERLAPS.map((hours) => ({ value: hours, label: OVERLAP_WORDS[hours] }));
  const confirmation = confirmationOf(record, replacedBy !== undefined);
  return (
    <>
      {!replacedBy && (
        <Form action={`/keys/${record.id}/rotate`} data-busy="Rotating…" submit="Rotate key" kind="secondary">
          <h2>Rotate</h2>
          <p>Creates a new key with the same settings.</p>
          <input type="hidden" name="id" value={successorId} />
          {select("overlap", "This key expires", overlaps)}
        </Form>
      )}
      <Form action={`/keys/${record.id}/revoke`} submit="Revoke key" kind="danger">
        <h2>Revoke</h2>
        <p>Requests with this key fail immediately, and its sessions end. This can’t be undone.</p>
        {text("confirm", `Type “${confirmation}” to confirm`, { autocomplete: "off", spellcheck: "false" })}
      </Form>
    </>
  );
};
