import { appendAudit } from "../../db/audit";
import type { Db, Tx } from "../../db/client";
import * as store from "../../db/prompts";
import { canonicalHash } from "../../lib/canonical-json";
import { AppError } from "../../lib/errors";
import { ownValue } from "../../lib/own-value";
import type { Page, PageQuery } from "../contract";
import type { Seal } from "../idempotency/service";
import { pageOf, readNumberCursor } from "../paging";
import type { Principal } from "../principal";
import { fromRow } from "../wire";
import { type CreatePromptVersion, type MoveLabel, type Prompt, PromptVersion } from "./contract";

/** The label that always names the newest version. It can't be moved. */
const LATEST = "latest";

export const createPrompts = ({ db, now = () => new Date() }: { db: Db; now?: () => Date }) => {
  const toVersion = (row: store.PromptVersionRow, labels: readonly { label: string; version: number }[]) =>
    fromRow(PromptVersion, row, {
      variables: variablesOf(row.messages),
      labels: labels.filter(({ version }) => version === row.version).map(({ label }) => label),
    });

  /** Throws not_found. */
  const get = async (name: string): Promise<Prompt> => {
    const [latest] = await store.listPromptVersions(db, name, { limit: 1 });
    if (!latest) throw noPrompt(name);
    const labels = await store.listPromptLabels(db, name);
    return {
      name,
      latest: toVersion(latest, labels),
      versions: latest.version,
      labels: Object.fromEntries(labels.map(({ label, version }) => [label, version])),
      updated_at: latest.createdAt.toISOString(),
    };
  };

  /** Throws not_found. */
  const version = async (name: string, number: number): Promise<PromptVersion> => {
    const row = await store.findPromptVersion(db, name, number);
    if (row) return toVersion(row, await store.listPromptLabels(db, name));
    throw new AppError("not_found", `The prompt "${name}" has no version ${number}.`, { param: "version" });
  };

  const insert = async (tx: Tx, principal: Principal, request: CreatePromptVersion, hash: string) => {
    const { name, messages, note = "" } = request;
    const at = now();
    const row = { name, messages, note, hash, createdBy: principal.keyId, createdAt: at };
    const number = await store.insertPromptVersion(tx, row);
    const detail = { version: number, hash };
    await appendAudit(tx, { at, actor: principal, action: "prompt.create", target: name, detail });
    return toVersion({ ...row, version: number, usedByRuns: 0 }, []);
  };

  return {
    get,
    version,

    async list({ limit = 20, after }: PageQuery): Promise<Page<Prompt>> {
      const names = await store.listPromptNames(db, { limit: limit + 1, after });
      const nameOf = ({ name }: { name: string }) => name;
      const page = pageOf(names, limit, nameOf, nameOf);
      return { ...page, data: await Promise.all(page.data.map(get)) };
    },

    /** Newest first. Throws not_found. */
    async versions(name: string, { limit = 20, after }: PageQuery): Promise<Page<PromptVersion>> {
      const rows = await store.listPromptVersions(db, name, { limit: limit + 1, below: readNumberCursor(after) });
      if (rows.length === 0 && after === undefined) throw noPrompt(name);
      const labels = await store.listPromptLabels(db, name);
      const cursorOf = (row: store.PromptVersionRow) => String(row.version);
      return pageOf(rows, limit, (row) => toVersion(row, labels), cursorOf);
    },

    /**
     * Creates a prompt or its next version, unless the newest version already has this content. Throws invalid_request
     * for a variable that is not closed.
     */
    async create(principal: Principal, request: CreatePromptVersion, seal: Seal) {
      assertClosed(request.messages);
      return db.write(async (tx) => {
        const hash = hashOf(request.messages);
        const [newest] = await store.listPromptVersions(tx, request.name, { limit: 1 });
        const isNew = newest?.hash !== hash;
        const made = isNew
          ? await insert(tx, principal, request, hash)
          : toVersion(newest, await store.listPromptLabels(tx, request.name));
        const answer = { version: made, isNew };
        await seal(tx, answer);
        return answer;
      });
    },

    /** Throws not_found, and invalid_request for `latest`. */
    async moveLabel(principal: Principal, name: string, label: string, { version: number }: MoveLabel) {
      if (label === LATEST) {
        throw new AppError("invalid_request", `${LATEST} always names the newest version and can't be moved.`, {
          param: "label",
        });
      }
      await (number === null ? get(name) : version(name, number));
      const at = now();
      await db.write(async (tx) => {
        await store.movePromptLabel(tx, name, label, number);
        const detail = { label, version: number };
        await appendAudit(tx, { at, actor: principal, action: "prompt.label", target: name, detail });
      });
      return get(name);
    },

    /** Finds `name`, `name@3`, `name@label` or `name@latest`. Throws not_found. */
    async resolve(reference: string): Promise<PromptVersion> {
      const [name = "", chosen = LATEST] = reference.split("@", 2);
      const prompt = await get(name);
      if (chosen === LATEST) return prompt.latest;
      const number = /^\d{1,9}$/.test(chosen) ? Number(chosen) : ownValue(prompt.labels, chosen);
      if (number !== undefined) return version(name, number);
      throw new AppError("not_found", `The prompt "${name}" has no label "${chosen}".`, { param: "target.prompt" });
    },
  };
};

export type PromptService = ReturnType<typeof createPrompts>;

const noPrompt = (name: string): AppError =>
  new AppError("not_found", `Prompt "${name}" not found. GET /v1/prompts lists the prompts.`, { param: "prompt" });

type Messages = PromptVersion["messages"];

/** Matches a variable: `{{name}}`, `{{ metadata.topic }}`. */
const VARIABLE = /\{\{\s*([a-zA-Z_][\w.-]*)\s*\}\}/g;

/** sha256 of the messages, in hex. The same template has the same hash on every instance. */
export const hashOf = (messages: Messages): string => canonicalHash(messages);

/** The variables of a template, each once, in order of appearance. */
export const variablesOf = (messages: Messages): string[] => [
  ...new Set(messages.flatMap(({ content }) => [...content.matchAll(VARIABLE)].map(([, name = ""]) => name))),
];

/** A model would get an unclosed variable as text. Throws invalid_request. */
const assertClosed = (messages: Messages): void => {
  const at = messages.findIndex(({ content }) =>
    content
      .split("{{")
      .slice(1)
      .some((rest) => !rest.includes("}}")),
  );
  if (at < 0) return;
  const param = `messages.${at}.content`;
  const message = `${param} has a "{{" without "}}". Close the variable as in {{input}}, or use a single brace.`;
  throw new AppError("invalid_request", message, { param });
};

/**
 * The messages with every variable replaced, in one pass: a value that looks like a variable stays text. Throws
 * invalid_request for a variable without a value; `param` is the request's field that names the prompt.
 */
export const render = (
  messages: Messages,
  values: Readonly<Record<string, string>>,
  param = "target.prompt",
): Messages => {
  const missing = variablesOf(messages).filter((name) => !Object.hasOwn(values, name));
  if (missing.length > 0) {
    const known = Object.keys(values).join(", ");
    throw new AppError(
      "invalid_request",
      `The prompt needs {{${missing[0]}}}, which is not available here. Available: ${known}.`,
      { param },
    );
  }
  return messages.map(({ role, content }) => ({
    role,
    content: content.replaceAll(VARIABLE, (_, name: string) => values[name] ?? ""),
  }));
};
