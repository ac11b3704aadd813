import { Elysia } from "elysia";
import { ErrorEnvelope } from "../contract";
import { auth } from "../http/auth";
import { download } from "../http/download";
import { allows, downloads } from "../http/route-facts";
import { AuditEntry, AuditEntryPage, AuditExportQuery, AuditQuery } from "./contract";
import type { Audit } from "./service";

export const auditRoutes = ({ audit }: { audit: Audit }) =>
  new Elysia({ name: "audit.routes", prefix: "/v1/audit", tags: ["Audit"] })
    .use(auth)
    .get("", ({ query }) => audit.list(query), {
      query: AuditQuery,
      response: { 200: AuditEntryPage },
      detail: { ...allows("admin"), summary: "List who changed what, newest first" },
    })
    .get("/export", ({ query }) => download(audit.exported(query)), {
      query: AuditExportQuery,
      response: { 200: AuditEntry, default: ErrorEnvelope },
      detail: {
        ...allows("admin"),
        summary: "Download the audit log as JSONL or CSV",
        description: "One `AuditEntry` per line, newest first. In CSV, texts that look like formulas are escaped.",
        ...downloads("application/jsonl", "text/csv"),
      },
    });
