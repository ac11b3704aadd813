import type { AuditRow } from "../../db/audit";
import { csvRecord, guardText } from "../../lib/csv";
import type { AuditEntry } from "./contract";

const toSnakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A row as the API shows it. The changed fields are columns of tables, and get the names that the API gives them. */
export const toEntry = ({ id, at, actor, actorName, action, target, requestId, detail }: AuditRow): AuditEntry => ({
  id,
  at: at.toISOString(),
  actor: { id: actor, name: actorName },
  action,
  object: { type: action.slice(0, action.indexOf(".")), id: target },
  request_id: requestId,
  changes: Object.fromEntries(Object.entries(detail ?? {}).map(([name, value]) => [toSnakeCase(name), value])),
});

export const CSV_HEADER = csvRecord([
  ...["id", "at", "actor_id", "actor_name", "action", "object_type", "object_id", "request_id", "changes"],
]);

/** Names may look like formulas, so every text is escaped. */
export const toCsv = ({ id, at, actor, action, object, request_id, changes }: AuditEntry): string =>
  csvRecord([
    String(id),
    at,
    ...[actor.id, actor.name ?? "", action, object.type, object.id, request_id ?? "", JSON.stringify(changes)].map(
      (text) => (text === "" ? "" : guardText(text)),
    ),
  ]);

export const toJsonLine = (entry: AuditEntry): string => `${JSON.stringify(entry)}\n`;
