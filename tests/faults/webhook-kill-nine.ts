import { join } from "node:path";
import { createClient } from "@libsql/client";
import { Stack } from "../harness";
import { until } from "../until";
import { isSignedWith, type Received, WebhookReceiver } from "../webhook-receiver";

/**
 * Kills the gateway and two jobs workers with signal 9 at random moments while events are published and delivered to a
 * receiver that fails often: `bun run faults`, or `bun tests/faults/webhook-kill-nine.ts 20` for fewer kills. Every
 * acknowledged event must arrive, every request must be an attempt in the database, and no event may be stored twice.
 */

const KILLS = Number(process.argv[2] ?? 60);
const WEBHOOKS = 2;
/** Milliseconds from one kill to the next. */
const lifeMs = () => 20 + Math.random() * 1200;
/** After this many failures, the receiver accepts an event, so that the retries end within a minute. */
const MAX_FAILURES = 2;

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

const receiver = new WebhookReceiver();
const failures = new Map<string, number>();
/** How often each webhook has accepted each event. */
const accepted = new Map<string, number>();

const replyTo = async ({ path, headers }: Received): Promise<Response> => {
  const delivery = `${path} ${headers["webhook-id"]}`;
  const failed = failures.get(delivery) ?? 0;
  if (failed < MAX_FAILURES && Math.random() < 0.4) {
    failures.set(delivery, failed + 1);
    return new Response("not now", { status: 500 });
  }
  // A worker that is killed during this pause doesn't know that the event was accepted.
  await Bun.sleep(Math.random() * 200);
  accepted.set(delivery, (accepted.get(delivery) ?? 0) + 1);
  return new Response();
};
receiver.replyTo = replyTo;

const env = { GROUNDWIRE_WEBHOOK_NETWORKS: "127.0.0.0/8", GROUNDWIRE_WEBHOOK_HTTP: "true" };
const stack = await Stack.start({ engine: "synthetic", workers: 2, env });
const problems: string[] = [];
try {
  const hooks: Json[] = [];
  for (let n = 0; n < WEBHOOKS; n++) {
    const made = await stack.fetch("/v1/webhooks", { body: { url: receiver.url(`/${n}`) } });
    hooks.push(await made.json());
  }

  const acknowledged = new Set<string>();
  let isEnding = false;
  const publish = async (n: number): Promise<void> => {
    while (!isEnding) {
      const response = await stack
        .fetch(`/v1/webhooks/${hooks[n].id}/test`, { method: "POST", signal: AbortSignal.timeout(5000) })
        .catch(() => undefined);
      const body: Json = await response?.json().catch(() => undefined);
      if (response?.status === 202 && body) acknowledged.add(`/${n} ${body.event_id}`);
      await Bun.sleep(50);
    }
  };
  const publishing = hooks.map((_, n) => publish(n));

  for (let kill = 0; kill < KILLS; kill++) {
    await Bun.sleep(lifeMs());
    if (kill % 5 === 4) await stack.restartGateway();
    else await stack.replaceWorker(kill % 2);
  }
  isEnding = true;
  await Promise.all(publishing);

  const client = createClient({ url: `file:${join(stack.folder, "data/groundwire.db")}` });
  const count = async (sql: string): Promise<number> => Number((await client.execute(sql)).rows[0]?.[0]);
  const pending = async (): Promise<Json[]> =>
    (await client.execute("SELECT id, webhook_id, due_at FROM webhook_deliveries WHERE state <> 'delivered'")).rows;
  const allDelivered = (timeoutMs: number) =>
    until("all events are delivered", async () => (await pending()).length === 0, timeoutMs);
  // Kills count as attempts, so some pauses last minutes. These events are sent again now.
  await allDelivered(60_000).catch(async () => {
    for (const { id, webhook_id, due_at } of await pending()) {
      if (due_at < Date.now() - 5000) problems.push(`the delivery ${id} is overdue`);
      await stack.fetch(`/v1/webhooks/${webhook_id}/deliveries/${id}/redeliver`, { method: "POST" });
    }
    await allDelivered(60_000);
  });

  const lost = [...acknowledged].filter((delivery) => !accepted.has(delivery));
  if (lost.length > 0) problems.push(`${lost.length} acknowledged events did not arrive: ${lost.slice(0, 3)}`);
  const deliveries = await count("SELECT COUNT(*) FROM webhook_deliveries");
  const events = await count("SELECT COUNT(*) FROM webhook_events");
  if (deliveries !== events) problems.push(`${events} events have ${deliveries} deliveries`);
  if (accepted.size !== events) problems.push(`${accepted.size} of ${events} events were accepted`);
  const attempts = await count("SELECT COUNT(*) FROM webhook_attempts");
  const { length: requests } = receiver.received;
  if (requests > attempts) problems.push(`${requests} requests arrived, but only ${attempts} attempts are stored`);
  const unsigned = await Promise.all(
    receiver.received.map(async (each) => !(await isSignedWith(hooks[Number(each.path.slice(1))].secret, each, 3600))),
  );
  if (unsigned.some(Boolean)) problems.push(`${unsigned.filter(Boolean).length} requests have an invalid signature`);
  const integrity = (await client.execute("PRAGMA integrity_check")).rows[0]?.[0];
  if (integrity !== "ok") problems.push(`integrity_check: ${integrity}`);
  client.close();

  const repeated = [...accepted.values()].filter((times) => times > 1).length;
  const figures = { kills: KILLS, events, acknowledged: acknowledged.size, requests, attempts, repeated };
  console.log(JSON.stringify({ ...figures, lost: lost.length, problems }, null, 2));
} finally {
  await stack.stop();
  await receiver.stop();
}
process.exitCode = problems.length > 0 ? 1 : 0;
