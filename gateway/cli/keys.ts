import { Value } from "@sinclair/typebox/value";
import { databaseOptions, openDb } from "../../db/client";
import { migrate } from "../../db/migrate";
import { EXIT, paint, runCommand } from "../../lib/command";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import { localUrl } from "../../lib/local-url";
import { silentLog } from "../../lib/log";
import { loadConfig } from "../../lib/settings";
import { readTimestamp } from "../../lib/timestamp";
import { CreateKey, type Key, type KeyWithSecret } from "../keys/contract";
import { createKeys, type KeysService, LOCAL_ACTOR } from "../keys/service";
import { createSessions } from "../sessions/service";
import { invalidRequest } from "../validation/problems";

const HELP = `Manages API keys in the database, whether the gateway is running or not.

  bun run keys create --name NAME [--role ROLE]    a new key; its secret is shown once
  bun run keys list                                every key, newest first
  bun run keys revoke ID                           revokes a key; a running gateway rejects it within a second
  bun run keys rotate ID [--grace-seconds N]       replaces a key; both work for N seconds (default 3600)
  bun run keys sign-in-link [ID]                   a one-time link, valid for 15 minutes; without an ID: an admin key's

Options of create:
  --role ROLE                 viewer, member (default), editor, admin or metrics
  --expires TIME              such as 90d, 12h, 2027-01-31 or 2027-01-31T18:00:00Z (default: never)
  --requests-per-minute N     default: as configured
  --parallel N                parallel requests (default: as configured)
  --tokens-per-minute N       tokens of prompts and answers (default: no limit)
  --models A,B                models the key may call (default: all)
  --no-content                prompts and answers of this key are never stored
  --log-bodies                the request log stores the prompts and answers of this key's API calls

  --json                      prints JSON, for scripts`;

const OPTIONS = {
  name: { type: "string" },
  role: { type: "string" },
  expires: { type: "string" },
  "requests-per-minute": { type: "string" },
  parallel: { type: "string" },
  "tokens-per-minute": { type: "string" },
  models: { type: "string" },
  "no-content": { type: "boolean" },
  "log-bodies": { type: "boolean" },
  "grace-seconds": { type: "string" },
  json: { type: "boolean", default: false },
} as const;

const PAGE = 100;
const DATE = /^\d{4}-\d\d-\d\d$/;
const SPAN_MS: Record<string, number> = { d: 86_400_000, h: 3_600_000, m: 60_000 };

const wrongUse = (message: string, param?: string) => new AppError("invalid_request", message, { param });

const toNumber = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));

/** Parses `90d`, `12h` or `30m` from now, a date, or an ISO 8601 time. */
const toExpiry = (text: string | undefined): string | undefined => {
  if (text === undefined) return undefined;
  const [, count, unit] = /^(\d{1,6})([dhm])$/.exec(text) ?? [];
  if (count && unit) return new Date(Date.now() + Number(count) * (SPAN_MS[unit] ?? 0)).toISOString();
  const at = readTimestamp(DATE.test(text) ? `${text}T00:00:00Z` : text);
  if (at) return at.toISOString();
  throw wrongUse(`--expires is "${text}". Use 90d, 12h, a date such as 2027-01-31, or 2027-01-31T18:00:00Z.`);
};

const printIssued = (issued: KeyWithSecret, json: boolean): void => {
  const { id, name, role, key } = issued;
  if (json) console.log(JSON.stringify(issued, null, 2));
  else console.log(`${paint("bold", key)}\n\n${id}  ${name}  ${role}\nStore it now: it is not shown again.`);
};

const printKeys = (keys: readonly Key[], json: boolean): void => {
  if (json) {
    console.log(JSON.stringify({ data: keys }, null, 2));
    return;
  }
  for (const { id, role, status, last_used_at, name } of keys) {
    const used = last_used_at ? `used ${last_used_at}` : "never used";
    console.log(`${id.padEnd(16)}  ${role.padEnd(7)}  ${status.padEnd(7)}  ${used.padEnd(29)}  ${name}`);
  }
};

const listAll = async (keys: KeysService): Promise<Key[]> => {
  const all: Key[] = [];
  for (;;) {
    const page = await keys.list({ limit: PAGE, after: all.at(-1)?.id });
    all.push(...page.data);
    if (!page.has_more) return all;
  }
};

const needId = (id: string | undefined, command: string): string => {
  if (id) return id;
  throw wrongUse(`The key's id is missing: bun run keys ${command} ID. "bun run keys list" shows the ids.`);
};

/** The newest active admin key, for which a sign-in link is created if no key is named. */
const someAdmin = async (keys: KeysService): Promise<string> => {
  const admin = (await listAll(keys)).find(({ role, status }) => role === "admin" && status === "active");
  if (admin) return admin.id;
  throw new AppError(
    "not_found",
    "There is no active admin key. Create one: bun run keys create --name admin --role admin.",
  );
};

/** Rejects arguments that the command would ignore, so that a mistyped command can't create a sign-in link for an admin. */
const checkUse = (command: string | undefined, id: string | undefined, rest: string[], values: object): void => {
  const extra = command === "create" || command === "list" ? [id, ...rest] : rest;
  const option = Object.keys(values).find(
    (name) => name !== "json" && command !== (name === "grace-seconds" ? "rotate" : "create"),
  );
  const stray = extra.find((argument) => argument !== undefined) ?? (option && `--${option}`);
  if (command && stray) throw wrongUse(`keys ${command} doesn't accept ${stray}. See bun run keys --help.`);
};

const pagesUrl = ({ gateway: { publicUrl, host, port } }: Config): string => publicUrl ?? localUrl("http", host, port);

await runCommand(
  HELP,
  OPTIONS,
  async ({ values, positionals: [command, id, ...rest] }) => {
    checkUse(command, id, rest, values);
    const config = loadConfig();
    const db = await openDb(databaseOptions(config), silentLog());
    try {
      await migrate(db);
      const keys = createKeys({ db, config });
      switch (command) {
        case "create": {
          if (!values.name) throw wrongUse("Give the key a name: --name NAME.", "name");
          const body = {
            name: values.name,
            role: values.role ?? "member",
            allowed_models: values.models?.split(","),
            requests_per_minute: toNumber(values["requests-per-minute"]),
            parallel_requests: toNumber(values.parallel),
            tokens_per_minute: toNumber(values["tokens-per-minute"]),
            content_logging: !values["no-content"],
            log_bodies: values["log-bodies"] ?? false,
          };
          if (!Value.Check(CreateKey, body)) throw invalidRequest(Value.Errors(CreateKey, body));
          const request = { ...body, expires_at: toExpiry(values.expires) };
          printIssued(await keys.create(LOCAL_ACTOR, request), values.json);
          return EXIT.ok;
        }
        case "list":
          printKeys(await listAll(keys), values.json);
          return EXIT.ok;
        case "revoke":
          printKeys([await keys.revoke(LOCAL_ACTOR, needId(id, command))], values.json);
          return EXIT.ok;
        case "rotate": {
          const grace_seconds = toNumber(values["grace-seconds"]);
          if (!((grace_seconds ?? 0) >= 0)) throw wrongUse("--grace-seconds must be 0 or more.");
          printIssued(await keys.rotate(LOCAL_ACTOR, needId(id, command), { grace_seconds }), values.json);
          return EXIT.ok;
        }
        case "sign-in-link": {
          const keyId = id ?? (await someAdmin(keys));
          const { token, expiresAt } = await createSessions({ db, keys }).createSignInToken(keyId);
          const url = `${pagesUrl(config)}/sign-in?token=${token}`;
          console.log(values.json ? JSON.stringify({ url, key_id: keyId, expires_at: expiresAt }, null, 2) : url);
          return EXIT.ok;
        }
        default:
          throw wrongUse(`${command ? `Unknown command "${command}"` : "No command given"}.\n\n${HELP}`);
      }
    } finally {
      await db.close();
    }
  },
  { takesArguments: true },
);
