/** Draws docs/images/chat.png, the README's picture: `bun tests/browser/readme-picture.ts`, with the real default model. */
import { join } from "node:path";
import { Stack } from "../harness";
import { closeBrowser, Screen } from "./harness";

const QUESTION = "Write a TypeScript function that adds two numbers.";

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
  await page.screenshot({ path: join(import.meta.dir, "../../docs/images/chat.png"), animations: "disabled" });
} finally {
  await closeBrowser();
  await stack.stop();
}
