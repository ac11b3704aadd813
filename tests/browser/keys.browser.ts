import { describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { LOCAL_ACTOR } from "../../gateway/keys/service";
import type { Role } from "../../gateway/principal";
import { onScreen, type ScreenOptions } from "./harness";
import { openPages } from "./pages";

const pages = await openPages();

/** Runs `work` on a page signed in with a new key of that role, and expects no faults. */
const signedIn = async (role: Role, options: ScreenOptions, work: (page: Page) => Promise<void>): Promise<void> => {
  const { key } = await pages.newKey(role);
  const { cookie } = await pages.sessions.signIn(key);
  expect(await onScreen(pages.url, { session: cookie, ...options }, work)).toEqual([]);
};

const keysNamed = async (name: string) =>
  (await pages.keys.list({ limit: 1000 })).data.filter((key) => key.name === name);

const fillAndCreate = async (page: Page, name: string, models = ""): Promise<void> => {
  await page.goto("/keys/new");
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Models").fill(models);
  await page.getByRole("button", { name: "Create key" }).click();
  await page.locator("#secret").waitFor();
};

describe("a form that is submitted twice", () => {
  test.each([true, false])("creates one key, and says that it already exists (scripts: %j)", (javaScript) =>
    signedIn("admin", { javaScript, expectedStatuses: [409] }, async (page) => {
      const name = `reloaded ${javaScript}`;
      await fillAndCreate(page, name);
      // Without scripts the button would load another page, and the key could not be shown again.
      expect(await page.locator("#theme").isVisible()).toBe(javaScript);
      await page.reload();
      await page.getByRole("heading", { level: 1, name: "This key already exists" }).waitFor();
      expect(await page.locator("#secret").count()).toBe(0);
      expect(await keysNamed(name)).toHaveLength(1);
      await page.getByRole("link", { name: "Open the key" }).click();
      await page.getByRole("heading", { level: 1, name }).waitFor();
    }),
  );

  test("rotates a key once", () =>
    signedIn("admin", { expectedStatuses: [409] }, async (page) => {
      await fillAndCreate(page, "rotated once");
      await page.goto(`/keys/${(await keysNamed("rotated once"))[0]?.id}`);
      await page.getByRole("button", { name: "Rotate key" }).click();
      await page.locator("#secret").waitFor();
      await page.reload();
      await page.getByText("This form was already submitted").waitFor();
      expect(await keysNamed("rotated once")).toHaveLength(2);
    }));

  test("creates two keys if the page was opened again in between", () =>
    signedIn("admin", {}, async (page) => {
      await fillAndCreate(page, "two of them");
      await fillAndCreate(page, "two of them");
      expect(await keysNamed("two of them")).toHaveLength(2);
    }));
});

test.each([
  ["shows a confirmation", "async () => {}", "status", "Copied"],
  [
    "says what to do if the browser does not allow it",
    "async () => { throw new Error(); }",
    "alert",
    "Select the text",
  ],
] as const)("copying a key %s", (_, writeText, role, words) =>
  signedIn("admin", {}, async (page) => {
    await fillAndCreate(page, `copied ${role}`);
    await page.evaluate(`navigator.clipboard.writeText = ${writeText}`);
    await page.getByRole("button", { name: "Copy key" }).click();
    await page.getByRole(role).getByText(words).waitFor();
  }),
);

test.each([
  ["copying works", (page: Page) => page.getByRole("button", { name: "Copy key" }).click()],
  ["the menu is opened", (page: Page) => page.locator(".menu summary").click()],
  [
    "the text is copied with the keyboard",
    async (page: Page) => {
      await page.locator("#secret").selectText();
      await page.keyboard.press("Control+C");
    },
  ],
] as const)("the message that copying was not allowed is removed once %s", (name, act) =>
  signedIn("admin", { width: 390 }, async (page) => {
    await fillAndCreate(page, name);
    await page.evaluate("navigator.clipboard.writeText = async () => { throw new Error(); }");
    await page.getByRole("button", { name: "Copy key" }).click();
    const message = page.getByRole("alert").getByText("Select the text");
    await message.waitFor();
    await page.evaluate("navigator.clipboard.writeText = async () => {}");
    await act(page);
    await message.waitFor({ state: "detached" });
  }),
);

test("a rotated key links to its successor, can't be rotated again, and is revoked by its id", () =>
  signedIn("admin", {}, async (page) => {
    const name = "shown twice";
    await fillAndCreate(page, name);
    const [old] = await keysNamed(name);
    await page.goto(`/keys/${old?.id}`);
    await page.getByRole("button", { name: "Rotate key" }).click();
    await page.locator("#secret").waitFor();
    const [next] = (await keysNamed(name)).filter(({ id }) => id !== old?.id);
    await page.goto("/keys?sort=-created");
    const rows = page.getByRole("row").filter({ hasText: name });
    expect([await rows.count(), await rows.filter({ hasText: "rotated" }).count()]).toEqual([2, 1]);
    await page.goto(`/keys/${next?.id}`);
    await page.getByRole("link", { name: old?.id ?? "", exact: true }).click();
    await page.getByText("Replaced by").waitFor();
    await page.getByRole("link", { name: next?.id ?? "", exact: true }).waitFor();
    expect(await page.getByRole("button", { name: "Rotate key" }).count()).toBe(0);
    await page.getByLabel(`Type “${old?.id}” to confirm`).fill(old?.id ?? "");
    await page.getByRole("button", { name: "Revoke key" }).click();
    await page.getByText("Key revoked.").waitFor();
    expect((await keysNamed(name)).map(({ status }) => status).toSorted()).toEqual(["active", "revoked"]);
  }));

test("a long name without spaces does not widen the key's pages", () =>
  signedIn("admin", {}, async (page) => {
    const { id } = await pages.newKey("member", "a".repeat(100));
    for (const width of [320, 390, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      for (const path of [`/keys/${id}`, "/keys"]) {
        await page.goto(path);
        await page.getByText("a".repeat(100)).first().waitFor();
        const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        expect([path, width, await page.evaluate<number>(overflow)]).toEqual([path, width, 0]);
      }
    }
  }));

test("a key with an unknown model is created, and its pages name the model", () =>
  signedIn("admin", {}, async (page) => {
    await page.goto("/keys/new");
    await page.getByText("Available now: smollm2-135m-instruct").waitFor();
    await fillAndCreate(page, "with a typo", "gpt-9, smollm2-135m-instruct");
    const warning = page.getByText("No node serves gpt-9 right now");
    await warning.waitFor();
    const [key] = await keysNamed("with a typo");
    expect(key?.allowed_models).toEqual(["gpt-9", "smollm2-135m-instruct"]);
    await page.goto(`/keys/${key?.id}`);
    await warning.waitFor();
    await fillAndCreate(page, "without a typo", "smollm2-135m-instruct");
    expect(await page.getByText("No node serves").count()).toBe(0);
  }));

test("a new key can have its prompts and answers in the request log", () =>
  signedIn("admin", {}, async (page) => {
    await page.goto("/keys/new");
    await page.getByLabel("Name").fill("debugged service");
    await page.getByLabel("Prompts and answers").selectOption("Also in the request log");
    await page.getByRole("button", { name: "Create key" }).click();
    await page.locator("#secret").waitFor();
    const [key] = await keysNamed("debugged service");
    expect(key).toMatchObject({ content_logging: true, log_bodies: true });
    await page.goto(`/keys/${key?.id}`);
    await page.getByText("Also in the request log").waitFor();
  }));

test("a key's settings can be changed on its page, but the last admin key keeps its role", () =>
  signedIn("admin", { expectedStatuses: [422] }, async (page) => {
    const { id } = await pages.newKey("member", "to be changed");
    await page.goto(`/keys/${id}`);
    await page.getByRole("link", { name: "Edit settings" }).click();
    await page.getByLabel("Expires").selectOption("In 30 days");
    await page.getByLabel("Prompts and answers").selectOption("Never stored");
    await page.getByLabel("Models").fill("gpt-9");
    await page.getByRole("button", { name: "Save settings" }).click();
    await page.getByRole("status").getByText("Settings saved.").waitFor();
    await page.getByText("No node serves gpt-9 right now").waitFor();
    const changed = await pages.keys.get(id);
    expect(changed).toMatchObject({ role: "member", content_logging: false, allowed_models: ["gpt-9"] });
    const days = (Date.parse(changed.expires_at ?? "") - Date.now()) / 86_400_000;
    expect(days).toBeWithin(29.9, 30);
    await page.goto(`/audit?object=${id}`);
    await page.getByText("Changed a key").first().waitFor();

    const admins = (await pages.keys.list({ limit: 1000 })).data.filter(
      (key) => key.role === "admin" && key.status === "active" && !key.is_bootstrap,
    );
    const [last, ...others] = admins;
    for (const other of others)
      await pages.keys.update(LOCAL_ACTOR, other.id, { expires_at: new Date(Date.now() + 3_600_000).toISOString() });
    await page.goto(`/keys/${last?.id}/settings`);
    await page.getByLabel("Role").selectOption("viewer");
    await page.getByRole("button", { name: "Save settings" }).click();
    await page.getByRole("alert").getByText("is the only admin key").waitFor();
    expect((await pages.keys.get(last?.id ?? "")).role).toBe("admin");
    for (const other of others) await pages.keys.update(LOCAL_ACTOR, other.id, { expires_at: null });
  }));

test("a limit for an unknown model is saved, and the key's page names the model", () =>
  signedIn("admin", {}, async (page) => {
    const { id } = await pages.newKey("member", "limited by a typo");
    await page.goto(`/keys/${id}/limits`);
    await page.getByLabel("Model 1", { exact: true }).fill("gpt-9");
    await page.locator("#model_0_requestsPerMinute").fill("5");
    await page.getByRole("button", { name: "Save limits" }).click();
    await page.getByText("No node serves gpt-9 right now").waitFor();
  }));

test("signing in with a metrics key always opens the page that explains it", async () => {
  const { key } = await pages.newKey("metrics");
  const faults = await onScreen(pages.url, {}, async (page) => {
    await page.goto("/chat");
    await page.getByLabel("Your key").fill(key);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { level: 1, name: "This key reads metrics" }).waitFor();
    await page.getByText(`${pages.url}/metrics`).waitFor();
    await page.getByText("scrape_configs").waitFor();
    expect(await page.getByRole("navigation").count()).toBe(0);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Your key").waitFor();
  });
  expect(faults).toEqual([]);
});

test("the list shows its range, links to the next and previous page, sorts, and keeps its header in view", () =>
  signedIn("admin", { width: 390 }, async (page) => {
    for (let n = 0; n < 110; n++) await pages.newKey("viewer", `Reader ${String(n).padStart(3, "0")}`);
    const { total } = await pages.keys.listNumbered({
      sort: { by: "name", isDescending: false },
      page: 1,
      pageLength: 1,
    });
    await page.goto("/keys");
    await page.getByText(`1 to 50 of ${total} keys`).waitFor();
    await page.getByRole("link", { name: "Next page" }).click();
    await page.getByText(`51 to 100 of ${total} keys`).waitFor();
    await page.getByRole("link", { name: "Previous page" }).click();
    await page.getByText(`1 to 50 of ${total} keys`).waitFor();

    await page.getByRole("link", { name: "Name", exact: true }).click();
    expect(await page.locator('th[aria-sort="ascending"]').textContent()).toBe("Name");
    const names = await page.locator("tbody tr td:first-child").allTextContents();
    expect(names).toEqual([...names].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)));
    await page.getByRole("link", { name: "Name", exact: true }).click();
    expect(await page.locator('th[aria-sort="descending"]').textContent()).toBe("Name");
    expect(await page.locator("[aria-sort]").count()).toBe(1);

    await page.evaluate("document.querySelector('section.scroll').scrollTop = 1e6");
    const [box, header] = [page.locator("section.scroll"), page.locator("thead th").first()];
    expect((await header.boundingBox())?.y).toBeCloseTo(((await box.boundingBox())?.y ?? 0) + 1, 0);
    await page.goto("/keys?page=999&sort=-name");
    await page.getByText(`to ${total} of ${total} keys`).waitFor();
  }));

describe("a menu", () => {
  /** Opens the navigation menu, which a narrow window hides behind a button. */
  const openMenu = async (page: Page) => {
    await page.goto("/system");
    await page.getByTitle("Menu").or(page.locator(".menu summary")).first().click();
    await page.getByRole("link", { name: "Evaluations" }).waitFor();
  };
  const isClosed = (page: Page) => page.getByRole("link", { name: "Evaluations" }).waitFor({ state: "hidden" });

  test("closes on Escape and returns the focus to its button", () =>
    signedIn("admin", { width: 390 }, async (page) => {
      await openMenu(page);
      await page.keyboard.press("Escape");
      await isClosed(page);
      expect(await page.evaluate<string>("document.activeElement.tagName")).toBe("SUMMARY");
    }));

  test("closes on a click outside, but not inside", () =>
    signedIn("admin", { width: 390 }, async (page) => {
      await openMenu(page);
      await page.locator(".account p").click();
      expect(await page.getByRole("link", { name: "Evaluations" }).isVisible()).toBe(true);
      await page.locator("main").click({ position: { x: 5, y: 5 } });
      await isClosed(page);
    }));

  test("of a chat closes on Escape and on a click outside, and covers no question", () =>
    signedIn("member", { width: 390 }, async (page) => {
      pages.chat.reset();
      pages.chat.say("Yes.");
      pages.chat.finish();
      await page.goto("/chat");
      await page.getByLabel("Message").fill("A question as wide as the window, so that it reaches the menu's button");
      await page.getByLabel("Message").press("Enter");
      await page.getByText("184 tokens").waitFor();
      const button = await page.getByTitle("Chat settings").boundingBox();
      const question = await page.locator(".question").first().boundingBox();
      if (!button || !question) throw new Error("The button or the question is missing.");
      expect(question.y).toBeGreaterThanOrEqual(button.y + button.height);

      const rename = page.getByLabel("Chat name");
      for (const close of [
        () => page.keyboard.press("Escape"),
        () => page.mouse.click(8, 600),
        () => page.getByLabel("Message").focus(),
      ]) {
        await page.getByTitle("Chat settings").click();
        await rename.waitFor();
        await close();
        await rename.waitFor({ state: "hidden" });
      }
    }));

  test("that is closed with Escape does not stop a running answer", () =>
    signedIn("member", {}, async (page) => {
      pages.chat.reset();
      await page.goto("/chat");
      await page.getByLabel("Message").fill("Tell me a story");
      await page.getByLabel("Message").press("Enter");
      pages.chat.say("Once");
      await page.getByText("Once", { exact: true }).waitFor();
      await page.getByTitle("Chat settings").click();
      await page.keyboard.press("Escape");
      await page.getByLabel("Chat name").waitFor({ state: "hidden" });
      pages.chat.say(" upon a time");
      pages.chat.finish();
      await page.getByText("184 tokens").waitFor();
      expect(await page.getByText("Stopped", { exact: true }).count()).toBe(0);
    }));
});

describe("the limits of a key", () => {
  test.each([true, false])("are edited, and shown with their use (scripts: %j)", (javaScript) =>
    signedIn("admin", { javaScript, expectedStatuses: [422] }, async (page) => {
      const { id } = await pages.newKey("member", `limited ${javaScript}`);
      const principal = await pages.keys.principalOf(id);
      await pages.ledger.reserve(principal, "/v1/chat");
      await page.goto(`/keys/${id}`);
      await page.getByRole("link", { name: "Edit limits" }).click();
      await page.getByLabel("Tokens per minute").first().fill("5000");
      await page.getByLabel("Amount 1").fill("1.5");
      await page.getByRole("button", { name: "Save limits" }).click();
      await page.getByRole("alert").getByText("Budget 1: enter a whole number").waitFor();
      await page.getByLabel("Amount 1").fill("20000");
      await page.getByLabel("Window").first().selectOption("in 24 hours");
      await page.getByLabel("Amount 2").fill("7.5");
      await page.getByLabel("Unit").nth(1).selectOption("Money");
      await page.getByLabel("Observe only").nth(1).check();
      await page.getByLabel("Model 1").first().fill("smollm2-135m-instruct");
      await page.getByLabel("Parallel requests").nth(1).fill("2");
      await page.getByRole("button", { name: "Save limits" }).click();
      await page.getByText("Limits saved.").waitFor();
      const rows = await page.getByRole("region", { name: "Limits" }).locator("tbody tr").allInnerTexts();
      expect(rows.map((row) => row.replace(/\s+/g, " "))).toEqual([
        expect.stringMatching(/^600 requests per minute 1 \(0\.2 %\) 599 /),
        expect.stringMatching(/^64 parallel requests 1 \(1\.6 %\) 63/),
        expect.stringMatching(/^5,000 tokens per minute 0 \(0 %\) 5,000/),
        expect.stringMatching(/^20,000 tokens in 24 hours 0 \(0 %\) 20,000/),
        expect.stringMatching(/^\$7\.50 per day \(UTC\) observed, never refuses /),
        expect.stringMatching(/^2 parallel requests for smollm2-135m-instruct 0 \(0 %\) 2/),
      ]);
      await page.getByRole("region", { name: "Used in the last hour by" }).getByText("/v1/chat").waitFor();
      expect(await page.locator("dt", { hasText: "Last used" }).locator("+ dd").textContent()).not.toBe("Never");
      expect(await pages.keys.get(id)).toMatchObject({
        tokens_per_minute: 5000,
        budgets: [
          { unit: "tokens", amount: 20_000, window: "day", alignment: "rolling" },
          { unit: "money", amount: 7.5, window: "day", alignment: "calendar", observe_only: true },
        ],
        model_limits: [{ model: "smollm2-135m-instruct", parallel_requests: 2 }],
      });
    }),
  );
});
