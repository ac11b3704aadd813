import type { AuditEntry } from "../../gateway/audit/contract";

/** Actions as sentences without a subject. Unknown actions of later versions are shown unchanged. */
const ACTIONS: Readonly<Record<string, string>> = {
  "key.create": "Created a key",
  "key.update": "Changed a key",
  "key.rotate": "Rotated a key",
  "key.revoke": "Revoked a key",
  "key.replace": "Replaced the configured key",
  "session.begin": "Signed in",
  "session.end": "Signed out",
  "session.end_all": "Ended all sessions of a key",
  "session.refuse": "Failed to sign in",
  "sign_in_token.create": "Created a sign-in link",
  "node.drain": "Drained a node",
  "node.undrain": "Put a node back into service",
  "cache.invalidate": "Deleted cached answers",
  "cache.disable": "Disabled a cache namespace",
  "cache.enable": "Enabled a cache namespace",
  "cache.share": "Shared a cache namespace",
  "index.create": "Created an index",
  "index.update": "Changed an index",
  "index.delete": "Deleted an index",
  "index.build": "Started a new version of an index",
  "index.activate": "Switched the version of an index",
  "index.ingest": "Added documents",
  "index.retry": "Retried documents",
  "index.cancel": "Cancelled adding documents",
  "document.delete": "Deleted a document",
  "dataset.create": "Created a dataset",
  "dataset.revise": "Added a dataset revision",
  "dataset.update": "Changed a dataset",
  "dataset.delete": "Deleted a dataset",
  "run.start": "Started a run",
  "run.pause": "Paused a run",
  "run.resume": "Resumed a run",
  "run.cancel": "Cancelled a run",
  "run.recompute": "Scored a run again",
  "run.import": "Imported a run",
  "file.create": "Uploaded a file",
  "file.delete": "Deleted a file",
  "batch.create": "Started a batch of requests",
  "batch.cancel": "Cancelled a batch of requests",
  "prompt.create": "Created a prompt version",
  "prompt.label": "Moved a prompt label",
  "evaluator.create": "Created an evaluator version",
  "evaluator.shadow": "Changed the shadow version of an evaluator",
  "evaluator.promote": "Changed the active version of an evaluator",
  "label.give": "Labelled an answer",
  "webhook.create": "Created a webhook",
  "webhook.update": "Changed a webhook",
  "webhook.rotate": "Rotated the secret of a webhook",
  "webhook.test": "Sent a test event",
  "webhook.redeliver": "Sent an event again",
  "webhook.delete": "Deleted a webhook",
  "drill.start": "Started a drill",
  "drill.end": "Ended a drill",
};

export const actionText = (action: string): string => ACTIONS[action] ?? action;

/** Kinds of objects to filter by. */
export const OBJECT_TYPES = [
  { value: "key", label: "Keys" },
  { value: "session", label: "Sign-ins" },
  { value: "sign_in_token", label: "Sign-in links" },
  { value: "node", label: "GPU nodes" },
  { value: "cache", label: "Cache" },
  { value: "index", label: "Indexes" },
  { value: "document", label: "Documents" },
  { value: "dataset", label: "Datasets" },
  { value: "run", label: "Runs" },
  { value: "file", label: "Files" },
  { value: "batch", label: "Batches" },
  { value: "prompt", label: "Prompts" },
  { value: "evaluator", label: "Evaluators" },
  { value: "label", label: "Labels" },
  { value: "webhook", label: "Webhooks" },
  { value: "drill", label: "Drills" },
] as const;

/** "name: search service; requests per minute: 120; expires at: 2099-12-31 23:59 UTC". */
export const changesText = (changes: AuditEntry["changes"]): string =>
  Object.entries(changes)
    .map(([name, value]) => `${name.replaceAll("_", " ")}: ${valueText(value)}`)
    .join("; ");

const ISO_TIME = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d\.\d{3}Z$/;

const valueText = (value: unknown): string => {
  if (typeof value === "string") return value.replace(ISO_TIME, "$1 $2 UTC");
  if (value === null || (Array.isArray(value) && value.length === 0)) return "none";
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value.join(", ");
  return JSON.stringify(value);
};

const PAGES: Readonly<Record<string, string>> = {
  key: "/keys/",
  session: "/keys/",
  index: "/rag/",
  dataset: "/datasets/",
  webhook: "/webhooks/",
};

/** The page of the changed object; undefined if it has none. A deleted object's page says that it is gone. */
export const entryPage = ({ action, object }: Pick<AuditEntry, "action" | "object">): string | undefined => {
  const page = action === "session.refuse" ? undefined : PAGES[object.type];
  return page && page + encodeURIComponent(object.id);
};
