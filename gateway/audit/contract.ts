import { type Static, Type } from "@sinclair/typebox";
import { Component, Nullable, OneOf, Page, PageQuery, Timestamp } from "../contract";

const filter = (maxLength: number, description: string, examples?: string[]) =>
  Type.Optional(Type.String({ minLength: 1, maxLength, description, examples }));

const filters = {
  actor: filter(100, "Id of the key that made the change, or the name of a program such as `cli`"),
  action: filter(100, "Kind of object and change", ["key.revoke"]),
  object_type: filter(40, "Kind of object: the first part of the action", ["key"]),
  object_id: filter(200, "Id of the changed object"),
  request_id: filter(128, "`x-request-id` of the request"),
  since: Type.Optional({ ...Timestamp, description: "Only changes at this time or later" }),
  until: Type.Optional({ ...Timestamp, description: "Only changes at this time or earlier" }),
};

/** `GET /v1/audit`. All filters must match. */
export const AuditQuery = Type.Object({ ...PageQuery.properties, ...filters });
export type AuditQuery = Static<typeof AuditQuery>;

/** `GET /v1/audit/export`. */
export const AuditExportQuery = Type.Object({
  ...filters,
  format: Type.Optional(OneOf(["jsonl", "csv"], { default: "jsonl" })),
});
export type AuditExportQuery = Static<typeof AuditExportQuery>;

/** One change. Entries are never changed or deleted. */
export const AuditEntry = Component("AuditEntry", {
  id: Type.Integer({ minimum: 1, description: "Increases with each entry" }),
  at: Timestamp,
  actor: Component("AuditActor", {
    id: Type.String({ description: "Id of the key, or the name of a program", examples: ["key_4fT9kQ2mXw7R"] }),
    name: Nullable(Type.String(), { description: "The key's name at that time; null for a program" }),
  }),
  action: Type.String({ examples: ["key.revoke"] }),
  object: Component("AuditObject", {
    type: Type.String({ examples: ["key"] }),
    id: Type.String({ examples: ["key_4fT9kQ2mXw7R"] }),
  }),
  request_id: Nullable(Type.String(), { description: "null for the command line and for background jobs" }),
  changes: Type.Record(Type.String(), Type.Unknown(), { description: "The changed fields, without secrets" }),
});
export type AuditEntry = Static<typeof AuditEntry>;

export const AuditEntryPage = Page(AuditEntry);
export type AuditEntryPage = Static<typeof AuditEntryPage>;
