import { join } from "node:path";
import { freePort } from "../free-port";
import { ADMIN_KEY, ServerProcess, Stack } from "../harness";
import { until } from "../until";
import { WebhookReceiver } from "../webhook-receiver";

/**
 * Kills the only GPU node of two gateways, kills one gateway during the outage, and starts both again: `bun run faults`.
 * The start and the end of the outage must each be one event.
 */

const receiver = new WebhookReceiver();
const env = { GROUNDWIRE_WEBHOOK_NETWORKS: "127.0.0.0/8", GROUNDWIRE_WEBHOOK_HTTP: "true" };
const stack = await Stack.start({ engine: "synthetic", workers: 1, env });
const port = await freePort();
const settings = {
  ...env,
  GROUNDWIRE_PORT: String(port),
  GROUNDWIRE_NODES: stack.nodeUrl,
  GROUNDWIRE_ADMIN_KEY: ADMIN_KEY,
  GROUNDWIRE_DATA_DIR: join(stack.folder, "data"),
};
const startSecond = async (): Promise<ServerProcess> => {
  const gateway = new ServerProcess("gateway/main.ts", settings, stack.folder);
  await gateway.says("listening");
  return gateway;
};
let second = await startSecond();
const typesSoFar = () => receiver.events.map(({ type }) => type).sort();

try {
  const made = await stack.fetch("/v1/webhooks", { body: { url: receiver.url(), description: "outages" } });
  if (made.status !== 201) throw new Error(await made.text());

  await stack.node.stop();
  await until("the outage is published", () => receiver.events.length >= 2, 60_000);
  await second.stop();
  // Both gateways have looked often enough to publish it again, and the lease of the dead one has expired.
  await Bun.sleep(75_000);
  second = await startSecond();
  await Bun.sleep(15_000);
  const started = typesSoFar();

  await stack.restartNode();
  await until("the end of the outage is published", () => receiver.events.length >= started.length + 2, 60_000);
  await Bun.sleep(25_000);
  const all = typesSoFar();

  console.log(JSON.stringify(receiver.events, null, 2));
  const expected = {
    started: ["degradation.started", "node.down"],
    all: ["degradation.ended", "degradation.started", "node.down", "node.up"],
  };
  if (JSON.stringify({ started, all }) !== JSON.stringify(expected)) {
    console.error({ started, all });
    process.exitCode = 1;
  }
} finally {
  await second.stop();
  await stack.stop();
  await receiver.stop();
}
