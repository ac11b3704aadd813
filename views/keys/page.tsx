import type { IssuedKey, KeyRecord } from "../../gateway/keys/service";
import { Alerts, type Frame, Heading, Notice, Shell } from "../layout";
import { ErrorSummary, type Problems, SelectField, TextField } from "../ui/fields";
import { Icon } from "../ui/icon";
import { CopyButton, EmptyState } from "../ui/states";
import { Table } from "../ui/table";
import { Time } from "../ui/time";
import { confirmationOf, KEY_ROLES, type KeyForm, LIFETIMES } from "./form";

/** What a role may do, in the words of the form. */
const ROLE_WORDS: Record<string, string> = {
  viewer: "Viewer: reads results",
  member: "Member: chats and asks",
  editor: "Editor: also changes data and prompts",
  admin: "Admin: everything, keys too",
  metrics: "Metrics: reads metrics only",
};

interface KeysPageProps extends Frame {
  keys: readonly KeyRecord[];
  /** Id of the last key shown, when there are more. */
  nextAfter?: string;
  /** What was just done. */
  notice?: string;
}

/** All keys, newest first. */
export const KeysPage = ({ keys, nextAfter, notice, ...frame }: KeysPageProps) => (
  <Shell {...frame} title="Keys">
    <Heading
      title="Keys"
      note="Each program or person gets a key of its own, so that it can be limited and revoked alone."
    >
      <a class="button" href="/keys/new">
        <Icon name="plus" /> Create key
      </a>
    </Heading>
    <Alerts />
    <Notice text={notice} />
    {keys.length === 0 ? (
      <EmptyState title="No keys yet">
        <p>A key lets a program use the models. Create the first one.</p>
      </EmptyState>
    ) : (
      <Table
        caption="Keys"
        rows={keys}
        columns={[
          { name: "Name", cell: (key) => <a href={`/keys/${key.id}`}>{key.name}</a> },
          { name: "Role", cell: (key) => key.role },
          { name: "State", cell: (key) => <KeyState status={key.status} /> },
          { name: "Requests/min", isNumeric: true, cell: (key) => key.limits.requestsPerMinute.toLocaleString("en") },
          { name: "At once", isNumeric: true, cell: (key) => key.limits.parallelRequests.toLocaleString("en") },
          { name: "Last used", cell: (key) => (key.lastUsedAt ? <Time at={key.lastUsedAt} /> : "Never") },
          { name: "Ends", cell: (key) => (key.expiresAt ? <Time at={key.expiresAt} /> : "Never") },
        ]}
      />
    )}
    {nextAfter && (
      <p>
        <a href={`/keys?after=${encodeURIComponent(nextAfter)}`}>Older keys</a>
      </p>
    )}
  </Shell>
);

const KeyState = ({ status }: Pick<KeyRecord, "status">) => (
  <span class={`state ${status === "active" ? "good" : "off"}`}>{status}</span>
);

interface NewKeyPageProps extends Frame {
  form: KeyForm;
  problems?: Problems;
}

/** The form for a new key, with what was typed before and what was wrong with it. */
export const NewKeyPage = ({ form, problems = {}, ...frame }: NewKeyPageProps) => (
  <Shell {...frame} title={Object.keys(problems).length > 0 ? "Error: Create key" : "Create key"}>
    <ErrorSummary problems={problems} />
    <Heading title="Create key" />
    <form class="card form" method="post" action="/keys" novalidate>
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
        label="Ends"
        value={form.lifetime}
        problem={problems.lifetime}
        options={LIFETIMES.map((days) => ({ value: days, label: days === "" ? "Never" : `In ${days} days` }))}
      />
      <div class="field-row">
        <TextField
          name="requestsPerMinute"
          label="Requests a minute"
          hint="Empty: the default"
          value={form.requestsPerMinute}
          problem={problems.requestsPerMinute}
          attributes={{ inputmode: "numeric" }}
        />
        <TextField
          name="parallelRequests"
          label="Requests at once"
          hint="Empty: the default"
          value={form.parallelRequests}
          problem={problems.parallelRequests}
          attributes={{ inputmode: "numeric" }}
        />
      </div>
      <TextField
        name="models"
        label="Models"
        hint="Names separated by commas. Empty: every model"
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
  issued: IssuedKey;
  /** When the key that this one replaces ends. */
  olderEndsAt?: Date | null;
}

/** The only page that ever shows a key. */
export const SecretPage = ({ issued: { record, key }, olderEndsAt, ...frame }: SecretPageProps) => (
  <Shell {...frame} title="Store the key">
    <Heading
      title={`Store the key of ${record.name}`}
      note="It is shown now and never again: only a fingerprint of it is kept."
    />
    <div class="card">
      <p class="secret">
        <code id="secret">{key}</code>
        <CopyButton text={key} label="Copy key" />
      </p>
      {olderEndsAt && (
        <p class="hint">
          The older key works until <Time at={olderEndsAt} />.
        </p>
      )}
      <form class="form-end" method="get" action="/keys">
        <button type="submit">I stored it</button>
      </form>
    </div>
  </Shell>
);

interface KeyPageProps extends Frame {
  record: KeyRecord;
  problems?: Problems;
}

/** One key: what it may do, and the ways to replace or end it. */
export const KeyPage = ({ record, problems = {}, ...frame }: KeyPageProps) => (
  <Shell {...frame} title={Object.keys(problems).length > 0 ? `Error: ${record.name}` : record.name}>
    <ErrorSummary problems={problems} />
    <Heading title={record.name} note={<KeyState status={record.status} />} />
    <dl class="card facts-list">
      <Fact name="Id" value={<code>{record.id}</code>} />
      <Fact name="Role" value={ROLE_WORDS[record.role] ?? record.role} />
      <Fact name="Requests a minute" value={record.limits.requestsPerMinute.toLocaleString("en")} />
      <Fact name="Requests at once" value={record.limits.parallelRequests.toLocaleString("en")} />
      <Fact name="Models" value={record.allowedModels?.join(", ") ?? "Every model"} />
      <Fact name="Created" value={<Time at={record.createdAt} />} />
      <Fact name="Last used" value={record.lastUsedAt ? <Time at={record.lastUsedAt} /> : "Never"} />
      <Fact name="Ends" value={record.expiresAt ? <Time at={record.expiresAt} /> : "Never"} />
    </dl>
    {record.isBootstrap ? (
      <p class="hint">This key is set by the environment of the gateway: change or remove it there.</p>
    ) : (
      record.status === "active" && <Endings record={record} problems={problems} />
    )}
  </Shell>
);

const Fact = ({ name, value }: { name: string; value: unknown }) => (
  <div>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </div>
);

/** Hours in which both keys work. */
export const OVERLAPS = ["0", "1", "24"] as const;
const OVERLAP_WORDS = { 0: "At once", 1: "In 1 hour", 24: "In 24 hours" } as const;

const Endings = ({ record, problems }: { record: KeyRecord; problems: Problems }) => (
  <div class="columns">
    <form class="card form" method="post" action={`/keys/${record.id}/rotate`}>
      <h2>Rotate</h2>
      <p>Makes a new key with the same settings.</p>
      <SelectField
        name="overlap"
        label="This key ends"
        value="1"
        options={OVERLAPS.map((hours) => ({ value: hours, label: OVERLAP_WORDS[hours] }))}
      />
      <div class="form-end">
        <button type="submit" class="secondary">
          Rotate key
        </button>
      </div>
    </form>
    <form class="card form" method="post" action={`/keys/${record.id}/revoke`} novalidate>
      <h2>Revoke</h2>
      <p>Requests with it fail at once, and its sessions end. This can't be undone.</p>
      <TextField
        name="confirm"
        label={`Type “${confirmationOf(record)}” to confirm`}
        problem={problems.confirm}
        attributes={{ autocomplete: "off", spellcheck: "false" }}
      />
      <div class="form-end">
        <button type="submit" class="danger">
          Revoke key
        </button>
      </div>
    </form>
  </div>
);
