import type { Webhook, WebhookDeliveryDetail } from "../../gateway/webhooks/contract";
import { type Frame, Screen } from "../layout";
import { Table } from "../ui/lists";
import { duration, Facts, Time } from "../ui/parts";
import { nameOf, WEBHOOKS } from "./list";
import { DeliveryState, isDueSoon } from "./page";

interface DeliveryPageProps extends Frame {
  webhook: Webhook;
  delivery: WebhookDeliveryDetail;
  notice: string;
}

/** One event for one webhook: each attempt, and the request's body. */
export const DeliveryPage = ({ webhook, delivery, ...frame }: DeliveryPageProps) => {
  const path = `/webhooks/${webhook.id}`;
  return (
    <Screen
      {...frame}
      title={delivery.event_type}
      trail={[WEBHOOKS, { path, name: nameOf(webhook) }]}
      refreshSeconds={isDueSoon(delivery) ? 5 : undefined}
      actions={
        webhook.enabled && (
          <form method="post" action={`${path}/deliveries/${delivery.id}/redeliver`}>
            <button type="submit" class="secondary">
              Send again
            </button>
          </form>
        )
      }
    >
      <DeliveryStatus webhook={webhook} delivery={delivery} />
      <details class="card fold" open>
        <summary>Body of each request</summary>
        <pre tabindex={0} hx-ignore>
          {JSON.stringify(delivery.payload, null, 2)}
        </pre>
      </details>
    </Screen>
  );
};

/** The state and the attempts. While the next attempt is due soon, htmx updates them in place. */
export const DeliveryStatus = ({ webhook, delivery }: Pick<DeliveryPageProps, "webhook" | "delivery">) => {
  const polling = isDueSoon(delivery) && {
    "hx-get": `/webhooks/${webhook.id}/deliveries/${delivery.id}/status`,
    "hx-trigger": "every 2s",
    "hx-swap": "outerMorph",
    "data-poll": true,
  };
  return (
    <div id="delivery" {...polling}>
      <Facts
        look="card facts-list"
        rows={[
          ["State", <DeliveryState {...delivery} />],
          ["Next attempt", delivery.next_attempt_at && <Time at={delivery.next_attempt_at} />],
          ["Created", <Time at={delivery.created_at} />],
          ["Ended", delivery.ended_at && <Time at={delivery.ended_at} />],
          ["Event id", <code>{delivery.event_id}</code>],
          ["Delivery id", <code>{delivery.id}</code>],
        ]}
      />
      <section>
        <h2>Attempts</h2>
        {delivery.attempts.length === 0 ? (
          <p class="hint">The first attempt has not started yet.</p>
        ) : (
          <Table
            caption="Attempts"
            rows={delivery.attempts.toReversed()}
            columns={[
              { name: "Started", cell: ({ started_at }) => <Time at={started_at} seconds /> },
              { name: "Status", isNumeric: true, cell: ({ status }) => status ?? "–" },
              {
                name: "Took",
                isNumeric: true,
                cell: ({ duration_ms: ms }) => (ms === null ? "–" : duration(ms)),
              },
              {
                name: "Result",
                isLong: true,
                cell: resultText,
                note: ({ response }) => (response ? `Response: ${response}` : undefined),
              },
            ]}
          />
        )}
      </section>
    </div>
  );
};

const resultText = ({ error, duration_ms }: WebhookDeliveryDetail["attempts"][number]): string =>
  error ?? (duration_ms === null ? "Running" : "Delivered");
