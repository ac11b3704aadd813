import type { NumberedPage } from "../../gateway/paging";
import type { Webhook, WebhookWithSecret } from "../../gateway/webhooks/contract";
import { EVENT_TYPES, EVENT_WORDS } from "../../gateway/webhooks/event-contract";
import { type Frame, Screen } from "../layout";
import { Form, fieldsOf, type Problems } from "../ui/fields";
import { List } from "../ui/lists";
import { Ago, ButtonLink, CopyButton, count, EmptyState, Time } from "../ui/parts";
import type { WebhookForm } from "./form";

export const WEBHOOKS = { path: "/webhooks", name: "Webhooks" };

/** Sortable columns: the values of `sort`. */
export const SORT_KEYS = ["name", "created", "delivered"] as const;

interface WebhooksPageProps extends Frame {
  page: NumberedPage<Webhook>;
  sort: { by: (typeof SORT_KEYS)[number]; isDescending: boolean };
  notice: string;
}

export const WebhooksPage = ({ page, sort, ...frame }: WebhooksPageProps) => (
  <Screen
    {...frame}
    title="Webhooks"
    note="Send events to other systems when a run ends, a node goes down or a budget is used up."
    actions={page.total > 0 && <ButtonLink href="/webhooks/new" icon="plus" text="Create webhook" />}
  >
    <List
      page={page}
      noun="webhook"
      caption="Webhooks"
      path="/webhooks"
      query={{ sort: `${sort.isDescending ? "-" : ""}${sort.by}` }}
      sort={sort}
      columns={[
        {
          name: "Name",
          sortKey: "name",
          isLong: true,
          cell: (webhook) => <a href={`/webhooks/${webhook.id}`}>{nameOf(webhook)}</a>,
          note: ({ url }) => url,
        },
        { name: "State", cell: (webhook) => <WebhookState {...webhook} /> },
        { name: "Events", isLong: true, cell: ({ events }) => eventsText(events) },
        {
          name: "Last delivery",
          sortKey: "delivered",
          cell: ({ last_delivered_at: at }) => (at ? <Ago at={at} /> : "Never"),
        },
        { name: "Created", sortKey: "created", cell: ({ created_at }) => <Time at={created_at} /> },
      ]}
    >
      <EmptyState title="No webhooks yet">
        <p>
          Groundwire sends events to a webhook’s URL, so that you don’t have to watch for them. Each request is signed,
          and repeated until it arrives.
        </p>
        <div class="form-end centred">
          <ButtonLink href="/webhooks/new" text="Create webhook" />
        </div>
      </EmptyState>
    </List>
  </Screen>
);

/** The description, or the host of the address. */
export const nameOf = ({ description, url }: Pick<Webhook, "description" | "url">): string =>
  description || new URL(url).host;

const eventsText = (events: Webhook["events"]): string =>
  events === null ? "All" : events.length > 3 ? `${count(events.length, "type")}` : events.join(", ");

export const WebhookState = ({ enabled, failing_since }: Pick<Webhook, "enabled" | "failing_since">) => {
  if (!enabled) return <span class="state off">disabled</span>;
  return failing_since ? <span class="state bad">failing</span> : <span class="state good">enabled</span>;
};

/** The fields of the forms that create and change a webhook. */
export const WebhookFields = ({ form, problems }: { form: WebhookForm; problems?: Problems }) => {
  const { text, choice } = fieldsOf(form, problems);
  return (
    <>
      {text("url", "Address", {
        hint: "It must be https and public, unless the operator allows more",
        type: "url",
        maxlength: 2000,
        autocomplete: "off",
        spellcheck: "false",
      })}
      {text("description", "Description", { hint: "Optional: its purpose", maxlength: 200, autocomplete: "off" })}
      {choice(
        "events",
        "Events",
        "checkbox",
        EVENT_TYPES.map((type) => ({ value: type, label: EVENT_WORDS[type], hint: <code>{type}</code> })),
        { hint: "Leave all boxes unchecked to send every event, including types that later versions add" },
      )}
    </>
  );
};

interface NewWebhookPageProps extends Frame {
  id: string;
  form: WebhookForm;
  problems?: Problems;
}

export const NewWebhookPage = ({ id, form, problems, ...frame }: NewWebhookPageProps) => (
  <Screen {...frame} title="Create webhook" trail={[WEBHOOKS]} problems={problems}>
    <Form action="/webhooks" data-busy="Creating…" submit="Create webhook" cancel="/webhooks">
      <input type="hidden" name="id" value={id} />
      <WebhookFields form={form} problems={problems} />
    </Form>
  </Screen>
);

/** The only page that ever shows a secret. */
export const SecretPage = ({ issued, ...frame }: Frame & { issued: WebhookWithSecret }) => (
  <Screen
    {...frame}
    title="Store the secret"
    trail={[WEBHOOKS]}
    note="It signs every request to your address, so that you can check where a request comes from. Copy it now: it is shown only once."
  >
    <div class="card">
      <p class="secret">
        <code id="secret">{issued.secret}</code>
        <CopyButton text={issued.secret} label="Copy secret" />
      </p>
      {issued.old_secret_expires_at && (
        <p class="hint">
          Until <Time at={issued.old_secret_expires_at} />, requests are also signed with the old secret.
        </p>
      )}
      <form class="form-end" method="get" action={`/webhooks/${issued.id}`}>
        <button type="submit">I stored it</button>
      </form>
    </div>
  </Screen>
);

/** Shown for a form that was submitted twice: the first request created the webhook. */
export const WebhookExistsPage = ({ webhook: { id, url }, ...frame }: Frame & { webhook: Webhook }) => (
  <Screen {...frame} title="This webhook already exists" trail={[WEBHOOKS]}>
    <div class="card">
      <p>
        This form was already submitted and created <a href={`/webhooks/${id}`}>{url}</a>. Its secret was shown once and
        cannot be shown again. If you did not store it, rotate the secret.
      </p>
      <div class="form-end">
        <ButtonLink href={`/webhooks/${id}`} text="Open the webhook" />
        <a href="/webhooks/new">Create another webhook</a>
      </div>
    </div>
  </Screen>
);
