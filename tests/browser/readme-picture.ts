/** Draws docs/images/chat.png, the README's picture: `bun tests/browser/readme-picture.ts`, with the real default model. */
import { join } from "node:path";
import { ADMIN_KEY, Stack } from "../harness";
import { closeBrowser, Screen } from "./harness";

/** The small model tends to go on and on after an open question: these end soon. */
const QUESTIONS = ["What is the capital of France?", "Name three things that a GPU is good for, as a short list."];

const stack = await Stack.start({ engine: "llama" });
try {
  const { page } = await Screen.open(stack.url, { theme: "light" });
  await page.goto("/");
  await page.getByLabel("Your key").fill(ADMIN_KEY);
  await page.getByRole("button", { name: "Sign in" }).click();
  for (const [asked, question] of QUESTIONS.entries()) {
    await page.getByLabel("Message").fill(question);
    await page.getByLabel("Message").press("Enter");
    await page.locator(".answer footer").nth(asked).waitFor({ timeout: 120_000 });
  }
  await page.screenshot({ path: join(import.meta.dir, "../../docs/images/chat.png"), animations: "disabled" });
} finally {
  await closeBrowser();
  await stack.stop();
}
