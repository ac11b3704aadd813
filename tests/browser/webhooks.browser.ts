import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { publishEvent } from "../../db/outbox";
import { until } from "../until";
import { WebhookReceiver } from "../webhook-receiver";
import { onScreen, type ScreenOptions } from "./harness";
import { type ScreenCase, testScreens } from "./matrix";
import { openPages } from "./pages";

const pages = await openPages();
const receiver = new WebhookReceiver();
afterAll(() => receiver.stop());

const ACTOR = { keyId: "key_of_tests" };
let session: string;
/** Ids of webhooks in each state. */
const ids: Record<"busy" | "failing" | "gone" | "disabled", string> = { busy: "", failing: "", gone: "", disabled: "" };

const createWebhook = async (description: string, path = "/hook"): Promise<string> => {
  const url = receiver.url(path);
  return (await pages.webhooks.create(ACTOR, { url, description, events: ["node.down"] })).id;
};

const later = (status: number) => () => new Response("busy", { status, headers: { "retry-after": "3600" } });

/** Sends a test event, to which the receiver replies with `reply`. Resolves when the attempt has ended. */
const sendTest = async (id: string, reply: () => Response): Promise<string> => {
  receiver.replies.push(reply);
  const { id: delivery } = await pages.webhooks.test(ACTOR, id);
  await until("the attempt has ended", async () => (await pages.webhooks.delivery(id, delivery)).status !== null);
  return delivery;
};

let failingDelivery: string;
beforeAll(async () => {
  const { key } = await pages.newKey("admin", "Ada’s admin key");
  session = (await pages.sessions.signIn(key)).cookie;
});

const CASES: (ScreenCase & { prepare?: () => Promise<void> })[] = [
  { name: "webhooks empty", path: "/webhooks", shows: "No webhooks yet" },
  { name: "webhooks new", path: "/webhooks/new", shows: "Leave all boxes unchecked" },
  {
    name: "webhooks refused",
    path: "/webhooks/new",
    status: 422,
    reach: async (page) => {
      await page.getByLabel("Address").fill("https://10.0.0.1/hook");
      await page.getByRole("button", { name: "Create webhook" }).click();
    },
    shows: "10.0.0.1 is not a public address",
  },
  {
    name: "webhooks secret",
    path: "/webhooks/new",
    reach: async (page) => {
      await page.getByLabel("Address").fill(receiver.url("/shown"));
      await page.getByLabel("Description").fill("on-call channel");
      await page.getByLabel("A GPU node is down").check();
      await page.getByRole("button", { name: "Create webhook" }).click();
    },
    shows: "whsec_",
  },
  {
    name: "webhook without deliveries",
    path: async () => `/webhooks/${await createWebhook("a new one")}`,
    shows: "No deliveries yet",
  },
  {
    name: "webhook with many deliveries",
    path: async () => {
      ids.busy ||= await createWebhook("on-call channel, with a description that is long enough to need a second line");
      if ((await pages.webhooks.deliveries(ids.busy, {})).data.length === 0) {
        await pages.db.write(async (tx) => {
          for (let n = 0; n < 60; n++) {
            const data = {
              node: `node-${n}`,
              state: "down",
              reason: "Connection refused",
              since: new Date().toISOString(),
            };
            await publishEvent(tx, { type: "node.down", cause: `many ${n}`, data }, new Date());
          }
        });
        const isPending = async () =>
          (await pages.webhooks.deliveries(ids.busy, { state: "pending", limit: 1 })).data.length > 0;
        await until("all are delivered", async () => !(await isPending()));
      }
      return `/webhooks/${ids.busy}`;
    },
    shows: "1 to 50 of 60 deliveries",
  },
  {
    name: "webhook failing",
    path: async () => {
      ids.failing ||= await createWebhook("failing one");
      failingDelivery ??= await sendTest(ids.failing, later(503));
      return `/webhooks/${ids.failing}`;
    },
    shows: "This webhook is failing",
  },
  {
    name: "webhook delivery failing",
    path: () => `/webhooks/${ids.failing}/deliveries/${failingDelivery}`,
    shows: "It responded with 503.",
  },
  {
    name: "webhook filtered",
    path: () => `/webhooks/${ids.failing}?state=delivered`,
    shows: "No delivery is delivered",
  },
  {
    name: "webhook gone",
    path: async () => {
      if (!ids.gone) {
        ids.gone = await createWebhook("gone");
        await sendTest(ids.gone, () => new Response(null, { status: 410 }));
      }
      return `/webhooks/${ids.gone}`;
    },
    shows: "so it gets no more events",
  },
  { name: "webhooks list", path: "/webhooks", shows: "failing one" },
  { name: "webhook not found", path: "/webhooks/wh_none", status: 404, shows: "Not found" },
];

testScreens(CASES, async () => ({ url: pages.url, session }));

const signedIn = async (options: ScreenOptions, work: (page: Page) => Promise<void>): Promise<void> =>
  expect(await onScreen(pages.url, { session, ...options }, work)).toEqual([]);

describe.each([true, false])("with scripts: %j", (javaScript) => {
  test("a webhook is created, tested, changed, rotated, disabled and deleted", () =>
    signedIn({ javaScript }, async (page) => {
      const path = `/flow-${javaScript}`;
      await page.goto("/webhooks/new");
      await page.getByLabel("Address").fill(receiver.url(path));
      await page.getByRole("button", { name: "Create webhook" }).click();
      await page.locator("#secret").waitFor();
      await page.getByRole("button", { name: "I stored it" }).click();

      await page.getByRole("button", { name: "Send test event" }).click();
      await page.getByText("A test event is being sent").waitFor();
      await until("it has arrived", () => receiver.received.some((each) => each.path === path));
      // With scripts the list updates itself; without, the page reloads.
      if (!javaScript) await page.reload();
      await page.getByRole("cell", { name: "delivered" }).waitFor();
      await page.getByRole("link", { name: "webhook.test" }).click();
      await page.getByText("Delivered", { exact: true }).waitFor();
      await page.getByRole("button", { name: "Send again" }).click();
      await page.getByText("The event will be sent again.").waitFor();
      await until("it has arrived again", () => receiver.received.filter((each) => each.path === path).length === 2);
      if (!javaScript) await page.reload();
      await page.getByRole("row").nth(2).waitFor();

      await page.getByRole("navigation", { name: "Breadcrumbs" }).getByRole("link").last().click();
      await page.getByText("Change address or events").click();
      await page.getByLabel("Description").fill(`changed ${javaScript}`);
      await page.getByRole("button", { name: "Save changes" }).click();
      await page.getByRole("heading", { level: 1, name: `changed ${javaScript}` }).waitFor();

      await page.getByText("Rotate the secret").click();
      await page.getByRole("button", { name: "Rotate secret" }).click();
      await page.getByText("requests are also signed with the old secret").waitFor();
      await page.getByRole("button", { name: "I stored it" }).click();

      await page.getByText("Disable or delete").click();
      await page.getByRole("button", { name: "Disable webhook" }).click();
      await page.getByRole("heading", { name: "This webhook is disabled" }).waitFor();
      expect(await page.getByRole("button", { name: "Send test event" }).count()).toBe(0);
      await page.getByText("Enable or delete").click();
      await page.getByRole("button", { name: "Enable webhook" }).click();
      await page.getByText("Webhook enabled.").waitFor();
      await page.getByText("Disable or delete").click();
      await page.getByRole("button", { name: "Delete webhook" }).click();
      await page.getByText("Webhook deleted.").waitFor();
    }));
});

test("a form that is submitted twice creates one webhook", () =>
  signedIn({ expectedStatuses: [409] }, async (page) => {
    await page.goto("/webhooks/new");
    await page.getByLabel("Address").fill(receiver.url("/twice"));
    await page.getByRole("button", { name: "Create webhook" }).click();
    await page.locator("#secret").waitFor();
    await page.reload();
    await page.getByText("This form was already submitted").waitFor();
    const { data } = await pages.webhooks.list({ limit: 100 });
    expect(data.filter(({ url }) => url.endsWith("/twice"))).toHaveLength(1);
  }));
