import { describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { onScreen, THEMES, WIDTHS } from "./harness";

/** A screen in one of its states. */
export interface ScreenCase {
  name: string;
  /** Where it is, once everything else is set up. */
  path: string | (() => string | Promise<string>);
  /** The status that this case provokes; Chromium writes it to the console as an error. */
  status?: number;
  /** Brings the open page into its state. */
  reach?: (page: Page) => Promise<unknown>;
  /** What the reader must be able to see then. */
  shows: string;
}

/**
 * Each case is reached in each theme, and looked at in both widths: shown, accessible, without an error, and with a
 * picture for people.
 */
export const testScreens = <C extends ScreenCase>(
  cases: readonly C[],
  /** Address of the pages, and the session of who looks; undefined: nobody is signed in. */
  open: (screen: C) => Promise<{ url: string; session: string | undefined }>,
): void => {
  describe("each screen in each state, light and dark, wide and narrow: accessible, no error, no sideways scroll", () => {
    test.each([...cases] as ScreenCase[])("$name", async (screenCase) => {
      const { name, path, status, reach, shows } = screenCase;
      for (const theme of THEMES) {
        const { url, session } = await open(screenCase as C);
        const options = { theme, session, expectedStatuses: status ? [status] : [] };
        const faults = await onScreen(url, options, async (page, screen) => {
          await page.goto(typeof path === "string" ? path : await path());
          await reach?.(page);
          await page.getByText(shows).first().waitFor();
          for (const width of Object.keys(WIDTHS).map(Number) as (keyof typeof WIDTHS)[]) {
            await screen.resize(width);
            await screen.inspect();
            await screen.shoot(name.replaceAll(" ", "-"));
          }
        });
        expect(faults).toEqual([]);
      }
    });
  });
};
