import { expect } from "bun:test";
import type { Locator, Page } from "playwright-core";
import type { Role } from "../../gateway/principal";
import { onScreen, type ScreenOptions } from "./harness";
import type { Pages } from "./pages";

/** A new key with its session. */
export const signedIn = async (pages: Pages, role: Role = "member") => {
  const { key } = await pages.newKey(role);
  return { key, ...(await pages.sessions.signIn(key)) };
};

/** Runs `work` on a chat page signed in with a new key, and expects no faults. */
export const chatting = async (
  pages: Pages,
  { role, ...options }: ScreenOptions & { role?: Role },
  work: (page: Page) => Promise<void>,
): Promise<void> => {
  const { cookie } = await signedIn(pages, role);
  const faults = await onScreen(pages.url, { session: cookie, ...options }, async (page) => {
    await page.goto("/chat");
    await work(page);
  });
  expect(faults).toEqual([]);
};

export const message = (page: Page) => page.getByLabel("Message");

export const ask = async (page: Page, text: string) => {
  await message(page).fill(text);
  await message(page).press("Enter");
};

/** Text of the only matching element. */
export const textOf = async (locator: Locator) => (await locator.textContent())?.trim();

export const answers = (page: Page) => page.locator(".answer .prose");
