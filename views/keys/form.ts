import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { t } from "elysia";
import type { CreateKey, Key, UpdateKey } from "../../gateway/keys/contract";
import { KEY_ID_PATTERN } from "../../gateway/keys/format";
import { ROLES, type Role } from "../../gateway/principal";
import { ownValue } from "../../lib/own-value";
import { Fields, type Problems, typed } from "../ui/fields";
import { readLimit } from "./limits-form";

const DAY_MS = 86_400_000;

export const KEY_ROLES: readonly Role[] = [...ROLES, "metrics"];

/** What each role may do. */
export const ROLE_WORDS: Readonly<Record<string, string>> = {
  viewer: "Viewer: reads results",
  member: "Member: also chats and evaluates",
  editor: "Editor: also changes data and prompts",
  admin: "Admin: everything, including keys",
  metrics: "Metrics: reads metrics only",
};

/** Days until a key expires; "": never. */
export const LIFETIMES = ["30", "90", "365", ""] as const;
/** The choice that doesn't change the expiry of an existing key. */
export const KEEP = "keep";

/** What is stored of a key's prompts and answers: settings of the key, by the form's choice. */
const STORAGE = {
  content: { content_logging: true, log_bodies: false },
  bodies: { content_logging: true, log_bodies: true },
  none: { content_logging: false, log_bodies: false },
} as const;
type Storage = keyof typeof STORAGE;

export const STORAGE_WORDS: Readonly<Record<Storage, string>> = {
  content: "In chats and evaluations only",
  bodies: "Also in the request log",
  none: "Never stored",
};

/** The form's choice that a key has. */
export const storageOf = ({ content_logging, log_bodies }: Pick<Key, "content_logging" | "log_bodies">): Storage => {
  if (!content_logging) return "none";
  return log_bodies ? "bodies" : "content";
};

/** The settings that both forms have, as submitted. */
const settings = {
  name: typed(1000),
  role: typed(100, "member"),
  lifetime: typed(100, "90"),
  /** What is stored of prompts and answers. */
  storage: typed(100, "content"),
  models: typed(10_000),
  /** Ids or names, separated by commas or lines: names may contain spaces. */
  indexes: typed(10_000),
};
export const SettingsFormBody = Fields(settings);
export type SettingsForm = Static<typeof SettingsFormBody>;

const KeyFields = Fields({
  ...settings,
  requestsPerMinute: typed(100),
  parallelRequests: typed(100),
  tokensPerMinute: typed(100),
});
/** `id` is the id of the key to create, so that submitting the form twice creates one key. */
export type KeyForm = Static<typeof KeyFields> & { id: string };

export const EMPTY_FORM = Value.Create(KeyFields);
export const KeyFormBody = Fields({ ...Type.Partial(KeyFields).properties, id: t.String({ pattern: KEY_ID_PATTERN }) });

/** Converts the settings, or returns undefined and adds to `problems`. `expires_at` is undefined for KEEP. */
const readSettings = (
  form: SettingsForm,
  lifetimes: readonly string[],
  now: Date,
  problems: Record<string, string>,
) => {
  const name = form.name.trim();
  if (name === "" || name.length > 100) problems.name = "Enter a name of 1 to 100 characters";
  const role = KEY_ROLES.find((known) => known === form.role);
  if (!role) problems.role = "Choose a role";
  if (!lifetimes.includes(form.lifetime)) problems.lifetime = "Choose when the key expires";
  const storage = ownValue(STORAGE, form.storage);
  if (!storage) problems.storage = "Choose what is stored of prompts and answers";
  const models = form.models.split(/[\s,]+/).filter(Boolean);
  const indexes = new Set(form.indexes.split(/[\n,]/).flatMap((name) => name.trim() || []));
  if ([...indexes].some((name) => name.length > 100)) {
    problems.indexes = "Separate index names with commas. Each name can have up to 100 characters";
  }
  if (!role || Object.keys(problems).length > 0) return undefined;
  return {
    ...{ name, role, ...storage },
    expires_at: expiryOf(form.lifetime, now),
    allowed_models: models.length > 0 ? [...new Set(models)] : null,
    allowed_indexes: indexes.size > 0 ? [...indexes] : null,
  };
};

const expiryOf = (lifetime: string, now: Date): string | null | undefined => {
  if (lifetime === KEEP) return undefined;
  return lifetime === "" ? null : new Date(now.getTime() + Number(lifetime) * DAY_MS).toISOString();
};

/** Converts the form to a request, or returns problems by field. */
export const readKeyForm = (form: KeyForm, now: Date): { request: CreateKey } | { problems: Problems } => {
  const problems: Record<string, string> = {};
  const limits = {
    requests_per_minute: readLimit(form, "requestsPerMinute", problems),
    parallel_requests: readLimit(form, "parallelRequests", problems),
    tokens_per_minute: readLimit(form, "tokensPerMinute", problems),
  };
  const read = readSettings(form, LIFETIMES, now, problems);
  return read ? { request: { ...read, ...limits } } : { problems };
};

/** The form of an existing key's settings. */
export const toSettingsForm = (key: Key): SettingsForm => ({
  name: key.name,
  role: key.role,
  lifetime: KEEP,
  storage: storageOf(key),
  models: key.allowed_models?.join(", ") ?? "",
  indexes: key.allowed_indexes?.join(", ") ?? "",
});

/** Converts the form to the settings that differ from the key's, so that the audit log shows what was changed. */
export const readSettingsForm = (
  form: SettingsForm,
  key: Key,
  now: Date,
): { request: UpdateKey } | { problems: Problems } => {
  const problems: Record<string, string> = {};
  const read = readSettings(form, [KEEP, ...LIFETIMES], now, problems);
  if (!read) return { problems };
  const changed = Object.entries(read).filter(
    ([name, value]) => value !== undefined && !Bun.deepEquals(value, key[name as keyof typeof read]),
  );
  return { request: Object.fromEntries(changed) };
};

const FIELDS: Readonly<Record<string, keyof SettingsForm>> = {
  expires_at: "lifetime",
  log_bodies: "storage",
  allowed_models: "models",
  allowed_indexes: "indexes",
};

/** The field that caused a rejection: without a `param`, the role, because the change would leave no admin key. */
export const settingsFieldOf = (param: string | undefined): keyof SettingsForm =>
  FIELDS[param?.split(".", 1)[0] ?? ""] ?? "role";

/**
 * The text that the user types to revoke a key: its name, without characters that can't be typed. For a rotated key, it
 * is the id, because the successor has the same name.
 */
export const confirmationOf = ({ name, id }: { name: string; id: string }, isRotated = false): string =>
  (!isRotated && visible(name)) || id;

/** Whether `typed` confirms the revocation. White space may differ. */
export const isConfirmed = (typed: string, key: { name: string; id: string }, isRotated = false): boolean =>
  visible(typed) === confirmationOf(key, isRotated);

const visible = (text: string): string => text.replace(/[\s\p{C}]+/gu, " ").trim();
