/**
 * Takes the README's screenshots for docs/images with a real stack and its default models:
 * `bun tests/browser/readme-pictures.ts`.
 */
import { join } from "node:path";
import type { Page } from "playwright-core";
import { Stack } from "../harness";
import { BAKERY } from "./evaluate";
import { closeBrowser, Screen } from "./harness";

const QUESTION = "Write a TypeScript function that adds two numbers.";

const SAMPLES = [
  { key: "rye", ...BAKERY, tags: ["prices"] },
  { key: "sunday", input: "Is the bakery open on Sundays?", references: ["No"], tags: ["hours"] },
  { key: "card", input: "Can I pay by card?", references: ["Yes, from 5 euros"], tags: ["prices"] },
];

const picture = (page: Page, name: string): Promise<unknown> =>
  page.screenshot({ path: join(import.meta.dir, `../../docs/images/${name}.png`), animations: "disabled" });

const stack = await Stack.start({ engine: "llama", workers: 1 });
try {
  const { page } = await Screen.open(stack.url, { theme: "light" });
  await page.goto("/");
  const created = await stack.fetch("/v1/keys", { body: { name: "Ada’s laptop", role: "admin" } });
  const [key = ""] = /gw_\w+/.exec(await created.text()) ?? [];
  await page.getByLabel("Your key").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("Message").fill(QUESTION);
  await page.getByLabel("Message").press("Enter");
  await page.locator(".answer footer").waitFor({ timeout: 120_000 });
  await picture(page, "chat");

  const stored = await stack.fetch("/v1/datasets", { body: { name: "bakery", samples: SAMPLES } });
  const { dataset } = (await stored.json()) as { dataset: { id: string } };
  await page.goto(`/datasets/${dataset.id}`);
  await picture(page, "dataset");

  const evaluated = await stack.fetch("/v1/evaluate", {
    body: { dataset: { dataset: "bakery", key: "rye" }, target: { kind: "stored" } },
  });
  const { run } = (await evaluated.json()) as { run: { id: string } };
  await page.goto(`/evals/${run.id}`);
  await picture(page, "evaluation");
} finally {
  await closeBrowser();
  await stack.stop();
}
