import type { Key, KeyWithSecret } from "../../gateway/keys/contract";
import type { NumberedPage } from "../../gateway/paging";
import { Alerts, type Frame, Heading, Notice, Shell } from "../layout";
import { type Problems, SelectField, TextField } from "../ui/fields";
import { Icon } from "../ui/icon";
import { NumberedPager, RowRange, withQuery } from "../ui/lists";
import { CopyButton } from "../ui/states";
import { Table } from "../ui/table";
import { Time } from "../ui/time";
import { KEY_ROLES, type KeyForm, LIFETIMES } from "./form";

/** What a role may do, in the words of the form. */
export const ROLE_WORDS: Record<string, string> = {
  viewer: "Viewer: reads results",
  member: "Member: chats and asks",
  editor: "Editor: also changes data and prompts",
  admin: "Admin: everything, keys too",
  metrics: "Metrics: reads metrics only",
};

/** Columns that the list can be sorted by, as `sort` names them. */
export const SORT_KEYS = ["name", "role", "created", "used", "expires"] as const;
export const KEYS_PER_PAGE = 50;

interface KeysPageProps extends Frame {
  keys: NumberedPage<Key>;
  /** Newest successor of each rotated key, both by id. */
  successors: ReadonlyMap<string, string>;
  sort: { by: (typeof SORT_KEYS)[number]; isDescending: boolean };
  /** Message about the last action. */
  notice?: string;
}

/** All keys. */
export const KeysPage = ({ keys: { data, ...place }, successors, sort, notice, ...frame }: KeysPageProps) => {
  const query = { sort: `${sort.isDescending ? "-" : ""}${sort.by}` };
  return (
    <Shell {...frame} title="Keys">
      <Heading
        title="Keys"
        note="Give each program and person their own key, so that you can limit or revoke one without the others."
      >
        <a class="button" href="/keys/new">
          <Icon name="plus" /> Create key
        </a>
      </Heading>
      <Alerts />
      <Notice text={notice} />
      <RowRange {...place} noun="key" />
      <Table
        caption="Keys"
        rows={data}
        sorting={{ ...sort, href: (to) => withQuery("/keys", { sort: to }) }}
        columns={[
          { name: "Name", sortKey: "name", isLong: true, cell: (key) => <a href={`/keys/${key.id}`}>{key.name}</a> },
          { name: "Role", sortKey: "role", cell: (key) => key.role },
          {
            name: "State",
            cell: (key) => <KeyState status={key.status} />,
            note: ({ id }) => (successors.has(id) ? "rotated" : undefined),
          },
          { name: "Requests/min", isNumeric: true, cell: (key) => key.limits.requests_per_minute.toLocaleString("en") },
          { name: "Parallel", isNumeric: true, cell: (key) => key.limits.parallel_requests.toLocaleString("en") },
          { name: "Created", sortKey: "created", cell: (key) => <Time at={key.created_at} /> },
          {
            name: "Last used",
            sortKey: "used",
            cell: (key) => (key.last_used_at ? <Time at={key.last_used_at} /> : "Never"),
          },
          {
            name: "Expires",
            sortKey: "expires",
            cell: (key) => (key.expires_at ? <Time at={key.expires_at} /> : "Never"),
          },
        ]}
      />
      <NumberedPager {...place} path="/keys" query={query} />
    </Shell>
  );
};

export const KeyState = ({ status }: Pick<Key, "status">) => (
  <span class={`state ${status === "active" ? "good" : "off"}`}>{status}</span>
);

interface NewKeyPageProps extends Frame {
  form: KeyForm;
  /** Ids of the models on the nodes. */
  models: readonly string[];
  problems?: Problems;
}

/** The form for a new key, with the typed values and errors after a rejection. */
export const NewKeyPage = ({ form, models, problems = {}, ...frame }: NewKeyPageProps) => (
  <Shell {...frame} title="Create key" problems={problems}>
    <Heading title="Create key" />
    <form class="card form" method="post" action="/keys" data-busy="Creating…" novalidate>
      <input type="hidden" name="id" value={form.id} />
      <TextField
        name="name"
        label="Name"
        hint="Who or what will use it, such as “search service”"
        value={form.name}
        problem={problems.name}
        attributes={{ maxlength: 100, autocomplete: "off" }}
      />
      <SelectField
        name="role"
        label="Role"
        value={form.role}
        problem={problems.role}
        options={KEY_ROLES.map((role) => ({ value: role, label: ROLE_WORDS[role] ?? role }))}
      />
      <SelectField
        name="lifetime"
        label="Expires"
        value={form.lifetime}
        problem={problems.lifetime}
        options={LIFETIMES.map((days) => ({ value: days, label: days === "" ? "Never" : `In ${days} days` }))}
      />
      <div class="field-row">
        <TextField
          name="requestsPerMinute"
          label="Requests per minute"
          hint="Leave blank for the default"
          value={form.requestsPerMinute}
          problem={problems.requestsPerMinute}
          attributes={{ inputmode: "numeric" }}
        />
        <TextField
          name="parallelRequests"
          label="Parallel requests"
          hint="Leave blank for the default"
          value={form.parallelRequests}
          problem={problems.parallelRequests}
          attributes={{ inputmode: "numeric" }}
        />
      </div>
      <TextField
        name="models"
        label="Models"
        hint={
          <>
            Names separated by commas. Leave blank to allow every model.
            {models.length > 0 && ` Available now: ${models.join(", ")}.`}
          </>
        }
        value={form.models}
        attributes={{ autocomplete: "off", spellcheck: "false" }}
      />
      <div class="form-end">
        <button type="submit">Create key</button>
        <a href="/keys">Cancel</a>
      </div>
    </form>
  </Shell>
);

interface SecretPageProps extends Frame {
  issued: KeyWithSecret;
  /** When the key that this one replaces expires. */
  olderExpiresAt?: string | null;
  unknownModels: readonly string[];
}

/** The only page that ever shows a key. */
export const SecretPage = ({ issued: { name, key }, olderExpiresAt, unknownModels, ...frame }: SecretPageProps) => (
  <Shell {...frame} title="Store the key">
    <Heading
      title={`Store the key of ${name}`}
      note="Copy it now. It is shown only once, because only its fingerprint is stored."
    />
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
  </Shell>
);

/** Warns about models of a key that no node has: a typo, or a model that is not loaded yet. */
export const UnknownModels = ({ names }: { names: readonly string[] }) =>
  names.length > 0 && (
    <div class="panel notice" role="status">
      <Icon name="alert" />
      <div>
        <h2>{names.length === 1 ? "A model of this key is unknown" : "Some models of this key are unknown"}</h2>
        <p>
          No node has {names.map((name, index) => [index > 0 && ", ", <code>{name}</code>])} now. The key can use{" "}
          {names.length === 1 ? "it" : "them"} as soon as a node does. If a name is misspelled, revoke this key and
          create another.
        </p>
      </div>
    </div>
  );

/** Shown for a form that was sent twice: the first request created the key, whose secret can't be shown again. */
export const KeyExistsPage = ({ record, ...frame }: Frame & { record: Key }) => (
  <Shell {...frame} title="This key already exists">
    <Heading title="This key already exists" />
    <div class="card">
      <p>
        This form was already sent and created <a href={`/keys/${record.id}`}>{record.name}</a>. Its secret was shown
        once and cannot be shown again. If you did not store it, rotate or revoke the key.
      </p>
      <div class="form-end">
        <a class="button" href={`/keys/${record.id}`}>
          Open the key
        </a>
        <a href="/keys/new">Create another key</a>
      </div>
    </div>
  </Shell>
);
