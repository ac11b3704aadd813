import type { NumberedPage } from "../../gateway/paging";
import type { Webhook, WebhookDelivery } from "../../gateway/webhooks/contract";
import { type Frame, Screen } from "../layout";
import { Form, fieldsOf, type Problems } from "../ui/fields";
import { Filters, List, NoMatch, withQuery } from "../ui/lists";
import { Ago, EmptyState, Facts, number, Panel, Time } from "../ui/parts";
import { OVERLAPS, type WebhookForm } from "./form";
import { nameOf, WEBHOOKS, WebhookFields, WebhookState } from "./list";

export const DELIVERY_STATES = ["pending", "delivered", "failed"] as const;
const LOOKS = { pending: "fair", delivered: "good", failed: "bad" } as const;

export interface DeliveriesProps {
  webhook: Webhook;
  page: NumberedPage<WebhookDelivery>;
  state?: WebhookDelivery["state"];
}

interface WebhookPageProps extends Frame, DeliveriesProps {
  /** Values of a rejected form. */
  form: WebhookForm;
  problems?: Problems;
  notice: string;
}

/** One webhook: what it receives, its deliveries, and the forms that change it. */
export const WebhookPage = ({ webhook, page, state, form, problems, ...frame }: WebhookPageProps) => (
  <Screen
    {...frame}
    title={nameOf(webhook)}
    trail={[WEBHOOKS]}
    problems={problems}
    refreshSeconds={page.data.some(isDueSoon) ? 5 : undefined}
    note={<WebhookState {...webhook} />}
    actions={
      webhook.enabled && (
        <form method="post" action={`/webhooks/${webhook.id}/test`}>
          <button type="submit" class="secondary">
            Send test event
          </button>
        </form>
      )
    }
  >
    <Trouble webhook={webhook} />
    <Facts
      look="card facts-list"
      rows={[
        ["Address", webhook.url],
        ["Events", webhook.events?.join(", ") ?? "All"],
        ["Last delivery", webhook.last_delivered_at ? <Time at={webhook.last_delivered_at} /> : "Never"],
        ["Created", <Time at={webhook.created_at} />],
        ["Old secret valid until", webhook.old_secret_expires_at && <Time at={webhook.old_secret_expires_at} />],
        ["Id", <code>{webhook.id}</code>],
      ]}
    />
    <section>
      <h2>Deliveries</h2>
      {(page.total > 0 || state) && <StateFilter webhook={webhook} state={state} />}
      <Deliveries webhook={webhook} page={page} state={state} />
    </section>
    <Settings webhook={webhook} form={form} problems={problems} />
    <Secret webhook={webhook} />
    <Ending webhook={webhook} />
  </Screen>
);

/** Whether the delivery changes within a minute, so that the page is worth refreshing. */
export const isDueSoon = ({ next_attempt_at: at }: Pick<WebhookDelivery, "next_attempt_at">): boolean =>
  at !== null && Date.parse(at) - Date.now() < 60_000;

const REASONS = {
  admin: "An admin disabled it.",
  failures: "Every attempt failed for five days. Check the receiver, then enable the webhook.",
  gone: "It responded with 410 (gone), so it gets no more events.",
} as const;

const Trouble = ({ webhook: { enabled, disabled_reason, disabled_at, failing_since } }: { webhook: Webhook }) => {
  if (!enabled && disabled_reason && disabled_at) {
    return (
      <Panel title="This webhook is disabled">
        {REASONS[disabled_reason]} Since <Time at={disabled_at} />, no events are sent to it.
      </Panel>
    );
  }
  if (!failing_since) return null;
  return (
    <Panel title="This webhook is failing">
      Every attempt since <Time at={failing_since} /> has failed. After five days, the webhook is disabled.
    </Panel>
  );
};

const StateFilter = ({ webhook, state }: Pick<DeliveriesProps, "webhook" | "state">) => {
  const { select } = fieldsOf({ state });
  return (
    <Filters action={`/webhooks/${webhook.id}`}>
      {select("state", "State", [{ value: "", label: "Any" }, ...DELIVERY_STATES])}
    </Filters>
  );
};

/** The deliveries. While one is due soon, htmx updates them in place. */
export const Deliveries = ({ webhook: { id }, page, state }: DeliveriesProps) => {
  const address = withQuery(`/webhooks/${id}/deliveries`, { state, page: page.page > 1 ? page.page : undefined });
  const polling = page.data.some(isDueSoon) && {
    "hx-get": address,
    "hx-trigger": "every 2s",
    "hx-swap": "outerMorph",
    "data-poll": true,
  };
  return (
    <div id="deliveries" {...polling}>
      <List
        page={page}
        noun="delivery"
        plural="deliveries"
        caption="Deliveries"
        path={`/webhooks/${id}`}
        query={{ state }}
        columns={[
          {
            name: "Event",
            cell: (delivery) => <a href={`/webhooks/${id}/deliveries/${delivery.id}`}>{delivery.event_type}</a>,
          },
          { name: "State", cell: (delivery) => <DeliveryState {...delivery} />, note: stateNote },
          { name: "Attempts", isNumeric: true, cell: ({ attempt_count }) => number(attempt_count) },
          { name: "Status", isNumeric: true, cell: ({ status }) => status ?? "–" },
          { name: "Next attempt", cell: ({ next_attempt_at: at }) => at && <Time at={at} /> },
          { name: "Created", cell: ({ created_at }) => <Ago at={created_at} /> },
        ]}
      >
        {state ? (
          <NoMatch title={`No delivery is ${state}`} href={`/webhooks/${id}`} link="Clear the filter" />
        ) : (
          <EmptyState title="No deliveries yet">
            <p>Events appear here when they are sent. Send a test event to check the address.</p>
          </EmptyState>
        )}
      </List>
    </div>
  );
};

export const DeliveryState = ({ state }: Pick<WebhookDelivery, "state">) => (
  <span class={`state ${LOOKS[state]}`}>{state}</span>
);

/** Why the last attempt failed, for deliveries that have not arrived. */
const stateNote = ({ state, error }: WebhookDelivery): string | undefined =>
  state === "delivered" ? undefined : (error ?? undefined);

const Settings = ({ webhook, form, problems }: Pick<WebhookPageProps, "webhook" | "form" | "problems">) => (
  <details class="card fold" open={problems !== undefined}>
    <summary>Change address or events</summary>
    <Form action={`/webhooks/${webhook.id}`} look="form" submit="Save changes">
      <WebhookFields form={form} problems={problems} />
    </Form>
  </details>
);

const OVERLAP_WORDS = { 0: "Immediately", 1: "After 1 hour", 24: "After 24 hours", 168: "After 7 days" } as const;

const Secret = ({ webhook: { id } }: { webhook: Webhook }) => {
  const { select } = fieldsOf({ overlap: "24" });
  const overlaps = OVERLAPS.map((hours) => ({ value: hours, label: OVERLAP_WORDS[hours] }));
  return (
    <details class="card fold">
      <summary>Rotate the secret</summary>
      <Form action={`/webhooks/${id}/rotate-secret`} look="form" submit="Rotate secret" kind="secondary">
        <p>Creates a new secret. Requests are signed with both until the old one expires.</p>
        {select("overlap", "The old secret expires", overlaps)}
      </Form>
    </details>
  );
};

const Ending = ({ webhook: { id, enabled } }: { webhook: Webhook }) => (
  <details class="card fold">
    <summary>{enabled ? "Disable or delete" : "Enable or delete"}</summary>
    <p>
      {enabled
        ? "A disabled webhook gets no events, and its pending deliveries fail."
        : "An enabled webhook gets events from now on. You can send earlier ones again."}{" "}
      Deleting it also deletes its deliveries. This can’t be undone.
    </p>
    <div class="form-end">
      <form method="post" action={`/webhooks/${id}/${enabled ? "disable" : "enable"}`}>
        <button type="submit" class="secondary">
          {enabled ? "Disable webhook" : "Enable webhook"}
        </button>
      </form>
      <form method="post" action={`/webhooks/${id}/delete`}>
        <button type="submit" class="danger">
          Delete webhook
        </button>
      </form>
    </div>
  </details>
);
