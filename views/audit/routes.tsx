import { Elysia, t } from "elysia";
import type { AuditExportQuery, AuditQuery } from "../../gateway/audit/contract";
import { download } from "../../gateway/http/download";
import { allows } from "../../gateway/http/route-facts";
import type { Services } from "../../gateway/services";
import { frameOf } from "../layout";
import { spanStart } from "../requests/words";
import { Fields } from "../ui/fields";
import { page } from "../ui/html";
import { withoutEmpty } from "../ui/lists";
import { AuditListQuery, AuditPage } from "./page";

const PAGE_LENGTH = 50;
const MAX_KEYS = 100;

const ExportQuery = Fields({
  ...AuditListQuery.properties,
  format: t.Union([t.Literal("csv"), t.Literal("jsonl")]),
});

/** `/audit`, for admins. */
export const auditPageRoutes = ({ audit, keys }: Pick<Services, "audit" | "keys">) => {
  const toQuery = ({ actor, type, object, span }: AuditListQuery): Omit<AuditExportQuery, "format"> =>
    withoutEmpty({ actor, object_type: type, object_id: object, since: spanStart(span) });

  return new Elysia({ name: "views.audit", prefix: "/audit" })
    .guard({ detail: allows("admin") })
    .get(
      "",
      async ({ request, query: given }) => {
        const query = withoutEmpty(given);
        const asked: AuditQuery = { ...toQuery(query), limit: PAGE_LENGTH, after: query.after };
        const props = { page: await audit.list(asked), keys: (await keys.list({ limit: MAX_KEYS })).data };
        return page(<AuditPage {...frameOf(request)} {...props} query={query} />);
      },
      { query: AuditListQuery },
    )
    .get("/export", ({ query }) => download(audit.exported({ ...toQuery(query), format: query.format })), {
      query: ExportQuery,
    });
};
