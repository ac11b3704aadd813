import { Elysia, t } from "elysia";
import { principalOf } from "../../gateway/http/auth";
import type { KeysService } from "../../gateway/keys/service";
import { Fields } from "../ui/form";
import { page, redirect } from "../ui/html";
import { confirmationOf, EMPTY_FORM, isConfirmed, readKeyForm } from "./form";
import { KeyPage, KeysPage, NewKeyPage, OVERLAPS, SecretPage } from "./page";

const PAGE_LENGTH = 50;
const HOUR_MS = 3_600_000;

const text = (maxLength: number) => t.Optional(t.String({ maxLength, default: "" }));
const keyForm = Fields({
  name: text(1000),
  role: text(100),
  lifetime: text(100),
  requestsPerMinute: text(100),
  parallelRequests: text(100),
  models: text(10_000),
});

/** `/keys`: for admins. */
export const keyPageRoutes = ({ keys, now = () => new Date() }: { keys: KeysService; now?: () => Date }) =>
  new Elysia({ name: "views.keys", prefix: "/keys" })
    .get(
      "",
      async ({ request, query }) => {
        const { keys: shown, hasMore } = await keys.list({ limit: PAGE_LENGTH, after: query.after });
        const notice = query.done === "revoked" ? "Key revoked. Requests with it fail now." : undefined;
        const nextAfter = hasMore ? shown.at(-1)?.id : undefined;
        const props = { request, principal: principalOf(request), keys: shown, nextAfter, notice };
        return page(<KeysPage {...props} />);
      },
      { query: Fields({ after: t.Optional(t.String({ maxLength: 100 })), done: t.Optional(t.String()) }) },
    )
    .get("/new", ({ request }) =>
      page(<NewKeyPage request={request} principal={principalOf(request)} form={EMPTY_FORM} />),
    )
    .post(
      "",
      async ({ request, body }) => {
        const principal = principalOf(request);
        const form = { ...EMPTY_FORM, ...body };
        const read = readKeyForm(form, now());
        const frame = { request, principal };
        if ("problems" in read) return page(<NewKeyPage {...frame} form={form} problems={read.problems} />, 422);
        return page(<SecretPage {...frame} issued={await keys.create(principal, read.settings)} />, 201);
      },
      { body: keyForm },
    )
    .get("/:id", async ({ request, params }) => {
      const props = { request, principal: principalOf(request), record: await keys.get(params.id) };
      return page(<KeyPage {...props} />);
    })
    .post(
      "/:id/rotate",
      async ({ request, params, body }) => {
        const principal = principalOf(request);
        const issued = await keys.rotate(principal, params.id, Number(body.overlap) * HOUR_MS);
        const { expiresAt } = await keys.get(params.id);
        return page(
          <SecretPage request={request} principal={principal} issued={issued} olderEndsAt={expiresAt} />,
          201,
        );
      },
      { body: Fields({ overlap: t.Union(OVERLAPS.map((hours) => t.Literal(hours))) }) },
    )
    .post(
      "/:id/revoke",
      async ({ request, params, body }) => {
        const principal = principalOf(request);
        const record = await keys.get(params.id);
        if (!isConfirmed(body.confirm, record)) {
          const problems = { confirm: `Type the name of the key, “${confirmationOf(record)}”, to revoke it` };
          return page(<KeyPage request={request} principal={principal} record={record} problems={problems} />, 422);
        }
        await keys.revoke(principal, params.id);
        return redirect(request, "/keys?done=revoked");
      },
      { body: Fields({ confirm: t.String({ maxLength: 1000 }) }) },
    );
