import type { Key } from "../../gateway/keys/contract";
import { type Frame, Screen } from "../layout";
import { type Choice, Form, fieldsOf, type Problems } from "../ui/fields";
import { KEEP, KEY_ROLES, type KeyForm, LIFETIMES, ROLE_WORDS, type SettingsForm, STORAGE_WORDS } from "./form";
import { KEYS } from "./limits";
import { LIMIT_LABELS } from "./limits-form";

interface SettingsProps extends Frame {
  /** Ids of the models on the nodes. */
  models: readonly string[];
  /** Names of the indexes. */
  indexes: readonly string[];
  problems?: Problems;
}

/** The fields of new and existing keys. */
const settingFields = (
  form: SettingsForm,
  { models, indexes, problems }: Pick<SettingsProps, "models" | "indexes" | "problems">,
  lifetimes: readonly Choice[],
) => {
  const { text, select } = fieldsOf(form, problems);
  const available = models.length > 0 ? ` Available now: ${models.join(", ")}.` : "";
  const existing = indexes.length > 0 ? ` Existing indexes: ${indexes.join(", ")}.` : "";
  const names = { autocomplete: "off", spellcheck: "false" };
  return {
    identity: (
      <>
        {text("name", "Name", {
          hint: "Who or what will use it, such as “search service”",
          maxlength: 100,
          autocomplete: "off",
        })}
        {select(
          "role",
          "Role",
          KEY_ROLES.map((role) => ({ value: role, label: ROLE_WORDS[role] ?? role })),
        )}
        {select("lifetime", "Expires", lifetimes)}
      </>
    ),
    access: (
      <>
        {select(
          "storage",
          "Prompts and answers",
          Object.entries(STORAGE_WORDS).map(([value, label]) => ({ value, label })),
          { hint: "Where they are stored. Only this key and admins can read them in the request log." },
        )}
        {text("models", "Models", {
          hint: `Names separated by commas. Leave blank to allow every model.${available}`,
          ...names,
        })}
        {text("indexes", "Document indexes", {
          hint: `Names or ids separated by commas. Leave blank to allow every index.${existing}`,
          ...names,
        })}
      </>
    ),
  };
};

const LIFETIME_CHOICES = LIFETIMES.map((days) => ({ value: days, label: days === "" ? "Never" : `In ${days} days` }));

export const NewKeyPage = ({ form, models, indexes, problems, ...frame }: SettingsProps & { form: KeyForm }) => {
  const { identity, access } = settingFields(form, { models, indexes, problems }, LIFETIME_CHOICES);
  const { text } = fieldsOf(form, problems);
  const limit = { hint: "Leave blank for the default", inputmode: "numeric" };
  return (
    <Screen {...frame} title="Create key" trail={[KEYS]} problems={problems}>
      <Form action="/keys" data-busy="Creating…" submit="Create key" cancel="/keys">
        <input type="hidden" name="id" value={form.id} />
        {identity}
        <div class="field-row">
          {text("requestsPerMinute", LIMIT_LABELS.requestsPerMinute, limit)}
          {text("parallelRequests", LIMIT_LABELS.parallelRequests, limit)}
          {text("tokensPerMinute", LIMIT_LABELS.tokensPerMinute, { ...limit, hint: "Leave blank for no limit" })}
        </div>
        {access}
      </Form>
    </Screen>
  );
};

interface EditKeyPageProps extends SettingsProps {
  record: Key;
  form: SettingsForm;
}

/** The form for a key's settings, except its limits. */
export const EditKeyPage = ({ record, form, models, indexes, problems, ...frame }: EditKeyPageProps) => {
  const { id, name, expires_at } = record;
  const kept = expires_at === null ? "never" : `${expires_at.slice(0, 16).replace("T", " ")} UTC`;
  const lifetimes = [{ value: KEEP, label: `No change (${kept})` }, ...LIFETIME_CHOICES];
  const { identity, access } = settingFields(form, { models, indexes, problems }, lifetimes);
  return (
    <Screen
      {...frame}
      title={`Settings of ${name}`}
      trail={[KEYS, { path: `/keys/${id}`, name }]}
      problems={problems}
      note="Changes apply within a second. The key itself stays the same."
    >
      <Form action={`/keys/${id}/settings`} data-busy="Saving…" submit="Save settings" cancel={`/keys/${id}`}>
        {identity}
        {access}
      </Form>
    </Screen>
  );
};
