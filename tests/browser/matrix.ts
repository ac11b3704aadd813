import { describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { AppError, type ErrorKind } from "../../lib/errors";
import { onScreen, type Screen, THEMES, WIDTHS } from "./harness";
import type { Pages } from "./pages";

/** Every error kind that a page's request can get, with its status. */
const REFUSALS: [ErrorKind, number][] = [
  ["insufficient_role", 403],
  ["not_found", 404],
  ["conflict", 409],
  ["payload_too_large", 413],
  ["dataset_invalid", 422],
  ["rate_limited", 429],
  ["internal", 500],
  ["unavailable", 503],
  ["deadline_exceeded", 504],
];
export const REFUSED_STATUSES = REFUSALS.map(([, status]) => status);

/**
 * Rejects the requests for `path` with every error kind, one after another on the same page. Each time, the alert
 * region must show the reason, and `stays` must hold.
 */
export const refuseInEveryWay = async (
  page: Page,
  { refusal }: Pages,
  { path, act, stays }: { path: RegExp; act?: () => Promise<void>; stays: () => Promise<void> },
): Promise<void> => {
  for (const [kind, status] of REFUSALS) {
    const message = `A reason of the kind ${kind}.`;
    const refused = page.waitForResponse((response) => response.status() === status);
    Object.assign(refusal, { path, error: new AppError(kind, message) });
    await act?.();
    await refused;
    await page.getByRole("alert").getByText(message).waitFor();
    await stays();
  }
  refusal.error = undefined;
};

/** Opens a screen by reloading the page while its requests for `path` are rejected. */
export const reloadRefused =
  (pages: () => Pages, path: RegExp) =>
  (kind: ErrorKind, message: string, retryAfterMs?: number) =>
  async (page: Page) => {
    const { refusal } = pages();
    Object.assign(refusal, { path, error: new AppError(kind, message, { retryAfterMs }) });
    await page.reload();
    refusal.error = undefined;
  };

/** A screen in one of its states. */
export interface ScreenCase {
  name: string;
  /** Returns the screen's path. Called after the setup. */
  path: string | (() => string | Promise<string>);
  /** The error status that this case provokes. Chromium writes it to the console as an error. */
  status?: number;
  /** Puts the open page into its state. */
  reach?: (page: Page) => Promise<unknown>;
  /** Text that must be visible in that state. */
  shows: string;
  /** Runs the checks of the page while a condition holds, such as a node that is down. */
  during?: (look: () => Promise<void>) => Promise<void>;
}

/**
 * Opens each case once and checks it in each theme at both widths: visible, accessible and free of errors. Takes a
 * screenshot for manual review with `bun run test browser --screenshots`.
 */
export const testScreens = <C extends ScreenCase>(
  cases: readonly C[],
  /** Address of the pages, and the user's session; undefined: not signed in. */
  open: (screen: C) => Promise<{ url: string; session: string | undefined }>,
): void => {
  describe("each screen is accessible and has no error or sideways scroll, in each state, theme and width", () => {
    test.each([...cases] as ScreenCase[])("$name", async (screenCase) => {
      const { name, path, status, reach, shows, during = (look) => look() } = screenCase;
      const { url, session } = await open(screenCase as C);
      const options = { session, expectedStatuses: status ? [status] : [] };
      const look = (page: Page, screen: Screen) => async (): Promise<void> => {
        await page.goto(typeof path === "string" ? path : await path());
        await reach?.(page);
        await page.getByText(shows).first().waitFor();
        for (const theme of THEMES) {
          await screen.relight(theme);
          for (const width of Object.keys(WIDTHS).map(Number) as (keyof typeof WIDTHS)[]) {
            await screen.resize(width);
            await screen.inspect({ colorsOnly: theme !== THEMES[0] });
            await screen.shoot(name.replaceAll(" ", "-"));
          }
        }
      };
      expect(await onScreen(url, options, (page, screen) => during(look(page, screen)))).toEqual([]);
    });
  });
};
