import { Value } from "@sinclair/typebox/value";
import { Elysia } from "elysia";
import { principalOf } from "../../gateway/http/auth";
import { allows } from "../../gateway/http/route-facts";
import { hasRole } from "../../gateway/principal";
import { RequestQuery } from "../../gateway/requests/contract";
import type { Services } from "../../gateway/services";
import { frameOf } from "../layout";
import { page } from "../ui/html";
import { withoutEmpty } from "../ui/lists";
import { RequestListQuery, RequestsPage } from "./list";
import { RequestPage } from "./request";
import { spanStart } from "./words";

const PAGE_LENGTH = 50;
const MAX_KEYS = 100;

/** `/requests`: the request log, and each request with its stages. */
export const requestPageRoutes = ({ requests, keys, models }: Pick<Services, "requests" | "keys" | "models">) => {
  /** The page's query as the API's. A value that no field of the page sends is ignored. */
  const toQuery = ({ fault, slow, span, status, ...same }: RequestListQuery): RequestQuery => {
    const wanted: Record<string, unknown> = {
      ...same,
      ...(status === "failed" ? { outcome: status } : { status }),
      fault_domain: fault,
      min_total_ms: slow === undefined ? undefined : Number(slow),
      since: spanStart(span),
    };
    const given = Object.entries(wanted).filter(([name, value]) => {
      const schema = RequestQuery.properties[name as keyof RequestQuery];
      return value !== undefined && Value.Check(schema, value);
    });
    return Object.fromEntries(given);
  };

  const choosableKeys = async (request: Request) => {
    const { keyId, keyName, role } = principalOf(request);
    if (!hasRole(role, "admin")) return [{ id: keyId, name: keyName }];
    return (await keys.list({ limit: MAX_KEYS })).data;
  };

  return new Elysia({ name: "views.requests", prefix: "/requests" })
    .guard({ detail: allows("viewer") })
    .get(
      "",
      async ({ request, query: given }) => {
        const query = withoutEmpty(given);
        const props = {
          page: await requests.list(principalOf(request), { ...toQuery(query), limit: PAGE_LENGTH }),
          keys: await choosableKeys(request),
          models: models.list(principalOf(request)).map(({ id }) => id),
          retention: requests.retention,
        };
        return page(<RequestsPage {...frameOf(request)} {...props} query={query} />);
      },
      { query: RequestListQuery },
    )
    .get("/:id", async ({ request, params }) =>
      page(<RequestPage {...frameOf(request)} record={await requests.get(principalOf(request), params.id)} />),
    );
};
