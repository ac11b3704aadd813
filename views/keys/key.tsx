import type { Key } from "../../gateway/keys/contract";
import { type Frame, Heading, Shell } from "../layout";
import { Fact } from "../ui/facts";
import { type Problems, SelectField, TextField } from "../ui/fields";
import { Time } from "../ui/time";
import { confirmationOf } from "./form";
import { KeyState, ROLE_WORDS, UnknownModels } from "./page";

interface KeyPageProps extends Frame {
  record: Key;
  /** Id of the key that replaced this one, if it was rotated. */
  replacedBy?: string;
  unknownModels: readonly string[];
  /** Id of the new key if this one is rotated. */
  successorId: string;
  problems?: Problems;
}

/** One key: its settings, and the forms that rotate or revoke it. */
export const KeyPage = ({ record, replacedBy, unknownModels, successorId, problems = {}, ...frame }: KeyPageProps) => (
  <Shell {...frame} title={record.name} problems={problems}>
    <Heading title={record.name} note={<KeyState status={record.status} />} />
    <UnknownModels names={unknownModels} />
    <dl class="card facts-list">
      <Fact name="Id">
        <code>{record.id}</code>
      </Fact>
      {replacedBy && (
        <Fact name="Rotated: replaced by">
          <a href={`/keys/${replacedBy}`}>{replacedBy}</a>
        </Fact>
      )}
      {record.rotated_from && (
        <Fact name="Replaces">
          <a href={`/keys/${record.rotated_from}`}>{record.rotated_from}</a>
        </Fact>
      )}
      <Fact name="Role">{ROLE_WORDS[record.role] ?? record.role}</Fact>
      <Fact name="Requests per minute">{record.limits.requests_per_minute.toLocaleString("en")}</Fact>
      <Fact name="Parallel requests">{record.limits.parallel_requests.toLocaleString("en")}</Fact>
      <Fact name="Models">{record.allowed_models?.join(", ") ?? "Every model"}</Fact>
      <Fact name="Created">
        <Time at={record.created_at} />
      </Fact>
      <Fact name="Last used">{record.last_used_at ? <Time at={record.last_used_at} /> : "Never"}</Fact>
      <Fact name="Expires">{record.expires_at ? <Time at={record.expires_at} /> : "Never"}</Fact>
    </dl>
    {record.is_bootstrap ? (
      <p class="hint">This key comes from the gateway's environment. Change or remove it there.</p>
    ) : (
      record.status === "active" && (
        <Endings record={record} replacedBy={replacedBy} successorId={successorId} problems={problems} />
      )
    )}
  </Shell>
);

/** Hours during which both keys work. */
export const OVERLAPS = ["0", "1", "24"] as const;
const OVERLAP_WORDS = { 0: "Immediately", 1: "In 1 hour", 24: "In 24 hours" } as const;

type EndingsProps = Required<Pick<KeyPageProps, "record" | "successorId" | "problems">> &
  Pick<KeyPageProps, "replacedBy">;

/** A key is rotated once: rotating it again would leave two successors in use. */
const Endings = ({ record, replacedBy, successorId, problems }: EndingsProps) => (
  <div class="columns">
    {!replacedBy && (
      <form class="card form" method="post" action={`/keys/${record.id}/rotate`} data-busy="Rotating…">
        <h2>Rotate</h2>
        <p>Creates a new key with the same settings.</p>
        <input type="hidden" name="id" value={successorId} />
        <SelectField
          name="overlap"
          label="This key expires"
          value="1"
          options={OVERLAPS.map((hours) => ({ value: hours, label: OVERLAP_WORDS[hours] }))}
        />
        <div class="form-end">
          <button type="submit" class="secondary">
            Rotate key
          </button>
        </div>
      </form>
    )}
    <form class="card form" method="post" action={`/keys/${record.id}/revoke`} novalidate>
      <h2>Revoke</h2>
      <p>Requests with this key fail immediately, and its sessions end. This can't be undone.</p>
      <TextField
        name="confirm"
        label={`Type “${confirmationOf(record, replacedBy !== undefined)}” to confirm`}
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
