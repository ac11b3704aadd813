import { Elysia } from "elysia";
import { principalOf } from "../../gateway/http/auth";
import { allows } from "../../gateway/http/route-facts";
import type { Services } from "../../gateway/services";
import type { Webhook } from "../../gateway/webhooks/contract";
import { newWebhookId } from "../../gateway/webhooks/service";
import { AppError } from "../../lib/errors";
import { frameOf } from "../layout";
import type { Problems } from "../ui/fields";
import { html, page, redirect } from "../ui/html";
import { readPage, readSort } from "../ui/lists";
import { DeliveryPage, DeliveryStatus } from "./delivery";
import {
  addressProblem,
  EMPTY_FORM,
  formOf,
  ListQueryFields,
  NewWebhookBody,
  RotateBody,
  readWebhookForm,
  submittedForm,
  type WebhookForm,
  WebhookFormBody,
  WebhookQueryFields,
} from "./form";
import { NewWebhookPage, SecretPage, SORT_KEYS, WebhookExistsPage, WebhooksPage } from "./list";
import { DELIVERY_STATES, Deliveries, WebhookPage } from "./page";

const PAGE_LENGTH = 50;
const HOUR_SECONDS = 3600;

const NOTICES: Readonly<Record<string, string>> = {
  saved: "Changes saved.",
  tested: "A test event is being sent. It appears in the list below.",
  enabled: "Webhook enabled. It gets events from now on.",
  disabled: "Webhook disabled.",
  deleted: "Webhook deleted.",
  resent: "The event will be sent again.",
};
const noticeOf = (done: string | undefined): string => NOTICES[done ?? ""] ?? "";

/** The part of the list of deliveries that is shown. */
interface ShownQuery {
  page?: string;
  state?: string;
}

/** `/webhooks`, for admins. */
export const webhookPageRoutes = ({ webhooks }: Pick<Services, "webhooks">) => {
  const deliveriesOf = async (id: string, query: ShownQuery) => {
    const state = DELIVERY_STATES.find((known) => known === query.state);
    const place = { page: readPage(query.page), pageLength: PAGE_LENGTH, state };
    return { webhook: await webhooks.get(id), page: await webhooks.deliveriesNumbered(id, place), state };
  };

  const webhookPage = async (
    request: Request,
    id: string,
    { query = {}, form, problems }: { query?: ShownQuery & { done?: string }; form?: WebhookForm; problems?: Problems },
  ) => {
    const shown = await deliveriesOf(id, query);
    const props = { ...frameOf(request), ...shown, problems, notice: noticeOf(query.done) };
    return page(<WebhookPage {...props} form={form ?? formOf(shown.webhook)} />, problems ? 422 : 200);
  };

  const create = async (request: Request, id: string, form: WebhookForm) => {
    const refuse = (problems: Problems) =>
      page(<NewWebhookPage {...frameOf(request)} id={id} form={form} problems={problems} />, 422);
    const read = readWebhookForm(form);
    if (read.problems) return refuse(read.problems);
    try {
      const issued = await webhooks.create(principalOf(request), read.request, { id });
      return page(<SecretPage {...frameOf(request)} issued={issued} />, 201);
    } catch (thrown) {
      if (!(thrown instanceof AppError && thrown.kind === "conflict")) return refuse(addressProblem(thrown));
      const webhook: Webhook = await webhooks.get(id).catch(() => {
        throw thrown;
      });
      return page(<WebhookExistsPage {...frameOf(request)} webhook={webhook} />, 409);
    }
  };

  return new Elysia({ name: "views.webhooks", prefix: "/webhooks" })
    .guard({ detail: allows("admin") })
    .get(
      "",
      async ({ request, query }) => {
        const sort = readSort(query.sort, SORT_KEYS, { by: "created", isDescending: true });
        const shown = await webhooks.listNumbered({ page: readPage(query.page), pageLength: PAGE_LENGTH, sort });
        return page(<WebhooksPage {...frameOf(request)} page={shown} sort={sort} notice={noticeOf(query.done)} />);
      },
      { query: ListQueryFields },
    )
    .get("/new", ({ request }) => page(<NewWebhookPage {...frameOf(request)} id={newWebhookId()} form={EMPTY_FORM} />))
    .post("", ({ request, body }) => create(request, body.id, submittedForm(body)), { body: NewWebhookBody })
    .get("/:id", ({ request, params, query }) => webhookPage(request, params.id, { query }), {
      query: WebhookQueryFields,
    })
    .get(
      "/:id/deliveries",
      async ({ params, query }) => html(<Deliveries {...(await deliveriesOf(params.id, query))} />),
      {
        query: WebhookQueryFields,
      },
    )
    .post(
      "/:id",
      async ({ request, params: { id }, body }) => {
        const form = submittedForm(body);
        const read = readWebhookForm(form);
        if (read.problems) return webhookPage(request, id, { form, problems: read.problems });
        try {
          await webhooks.update(principalOf(request), id, read.request);
        } catch (thrown) {
          return webhookPage(request, id, { form, problems: addressProblem(thrown) });
        }
        return redirect(request, `/webhooks/${id}?done=saved`);
      },
      { body: WebhookFormBody },
    )
    .post("/:id/test", async ({ request, params: { id } }) => {
      await webhooks.test(principalOf(request), id);
      return redirect(request, `/webhooks/${id}?done=tested`);
    })
    .post(
      "/:id/rotate-secret",
      async ({ request, params: { id }, body }) => {
        const grace = { grace_seconds: Number(body.overlap) * HOUR_SECONDS };
        const issued = await webhooks.rotateSecret(principalOf(request), id, grace);
        return page(<SecretPage {...frameOf(request)} issued={issued} />, 201);
      },
      { body: RotateBody },
    )
    .post("/:id/enable", async ({ request, params: { id } }) => {
      await webhooks.update(principalOf(request), id, { enabled: true });
      return redirect(request, `/webhooks/${id}?done=enabled`);
    })
    .post("/:id/disable", async ({ request, params: { id } }) => {
      await webhooks.update(principalOf(request), id, { enabled: false });
      return redirect(request, `/webhooks/${id}?done=disabled`);
    })
    .post("/:id/delete", async ({ request, params: { id } }) => {
      await webhooks.remove(principalOf(request), id);
      return redirect(request, "/webhooks?done=deleted");
    })
    .get(
      "/:id/deliveries/:delivery",
      async ({ request, params: { id, delivery }, query }) => {
        const shown = { webhook: await webhooks.get(id), delivery: await webhooks.delivery(id, delivery) };
        return page(<DeliveryPage {...frameOf(request)} {...shown} notice={noticeOf(query.done)} />);
      },
      { query: WebhookQueryFields },
    )
    .get("/:id/deliveries/:delivery/status", async ({ params: { id, delivery } }) =>
      html(<DeliveryStatus webhook={await webhooks.get(id)} delivery={await webhooks.delivery(id, delivery)} />),
    )
    .post("/:id/deliveries/:delivery/redeliver", async ({ request, params: { id, delivery } }) => {
      await webhooks.redeliver(principalOf(request), id, delivery);
      return redirect(request, `/webhooks/${id}/deliveries/${delivery}?done=resent`);
    });
};
