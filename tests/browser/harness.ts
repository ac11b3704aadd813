import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { AxeResults, Result, RunOptions } from "axe-core";
import { type Browser, type CDPSession, chromium, type Page } from "playwright-core";
import { findChromium } from "../programs";

/** Screenshots, and findings that axe leaves to manual review. `contact-sheet.ts` puts them on one page. */
export const OUTPUT = join(import.meta.dir, "../output");
export const TO_REVIEW = join(OUTPUT, "to-review.jsonl");
mkdirSync(OUTPUT, { recursive: true });

export const THEMES = ["light", "dark"] as const;
export const WIDTHS = { 390: 844, 1280: 800 } as const;
type Theme = (typeof THEMES)[number];

/**
 * Resolves when the page has been repainted and every transition has ended. A transition starts with the next repaint,
 * which may come some time after the emulated medium was set.
 */
const REPAINTED = `new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => {
  for (const animation of document.getAnimations()) if (animation instanceof CSSTransition) animation.finish();
  requestAnimationFrame(drawn);
})))`;

const AXE_SOURCE = await Bun.file(new URL(import.meta.resolve("axe-core/axe.min.js"))).text();
/** Options for axe: report only what did not pass, and identify elements by their HTML. */
const AXE_OPTIONS: RunOptions = {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  resultTypes: ["violations", "incomplete"],
  selectors: false,
};

/** The rules whose results depend on the theme. `architecture.test.ts` checks that themes differ only in colours. */
const COLOR_OPTIONS: RunOptions = { ...AXE_OPTIONS, runOnly: ["color-contrast", "link-in-text-block"] };

/** Findings that axe leaves to manual review and that have been reviewed. The contact sheet shows where they are. */
const REVIEWED: Readonly<Record<string, string>> = {
  "color-contrast":
    "text that is cut off or scrolled behind another element; axe measured its colours elsewhere on these screens",
};

/** axe's rule for the size of controls. It fails for one that is partly scrolled behind another. */
const TARGET_SIZE = "target-size";

let browser: Browser | undefined;

/** The icon keeps the browser from requesting /favicon.ico. */
const EMPTY_PAGE = '<!doctype html><link rel="icon" href="data:,">';

/** Clean windows to reuse, by site and scripts. A new window takes a second: new process, empty cache. */
const idleWindows = new Map<string, Page>();

/** One browser for all test files of a process. It closes with the process; scripts close it with `closeBrowser`. */
const launched = async (): Promise<Browser> => {
  if (browser?.isConnected()) return browser;
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? findChromium(),
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
      ...["--disable-background-networking", "--disable-component-update", "--hide-scrollbars"],
      // Fewer processes, so fewer messages between them.
      "--in-process-gpu",
    ],
  });
  return browser;
};

/** Closes every window. Each test file starts sites of its own, so other files can't reuse its windows. */
export const closeWindows = async (): Promise<void> => {
  idleWindows.clear();
  await Promise.all((browser?.contexts() ?? []).map((context) => context.close()));
};

export const closeBrowser = async (): Promise<void> => {
  await browser?.close();
  browser = undefined;
  idleWindows.clear();
};

export interface ScreenOptions {
  width?: keyof typeof WIDTHS;
  theme?: Theme;
  /** False: the page must work without scripts. */
  javaScript?: boolean;
  /** False: without our Content-Security-Policy, so that only escaping keeps a script from running. */
  hasPolicy?: boolean;
  /** Value of the session cookie. */
  session?: string;
  /** Error statuses that this test provokes. Chromium writes each of them to the console as an error. */
  expectedStatuses?: readonly number[];
  /** Other faults that this test provokes. */
  expectedFault?: RegExp;
}

/** A browser window that watches its page and collects errors in `faults`. */
export class Screen {
  readonly faults: string[] = [];
  #debugger: CDPSession | undefined;

  private constructor(
    readonly page: Page,
    private readonly windowKind: string,
    private look: { width: keyof typeof WIDTHS; theme: Theme },
  ) {}

  static async open(url: string, options: ScreenOptions = {}): Promise<Screen> {
    const {
      width = 1280,
      theme = "light",
      javaScript = true,
      hasPolicy = true,
      session,
      expectedStatuses = [],
      expectedFault,
    } = options;
    const windowKind = JSON.stringify({ url, javaScript, hasPolicy });
    const page = idleWindows.get(windowKind) ?? (await Screen.#newWindow(url, javaScript, hasPolicy));
    idleWindows.delete(windowKind);
    if (session)
      await page.context().addCookies([{ name: "groundwire", value: session, url, httpOnly: true, sameSite: "Lax" }]);
    const screen = new Screen(page, windowKind, { width, theme });
    await screen.resize(width);
    await page.emulateMedia({ colorScheme: theme });
    screen.#watch(url, expectedStatuses, expectedFault);
    return screen;
  }

  static async #newWindow(url: string, javaScript: boolean, hasPolicy: boolean): Promise<Page> {
    const context = await (await launched()).newContext({
      baseURL: url,
      reducedMotion: "reduce",
      locale: "en-GB",
      timezoneId: "Europe/Berlin",
      javaScriptEnabled: javaScript,
      bypassCSP: !hasPolicy,
    });
    context.setDefaultTimeout(30_000);
    return context.newPage();
  }

  #watch(url: string, expectedStatuses: readonly number[], expectedFault?: RegExp): void {
    const { page, faults } = this;
    page.on("pageerror", (error) => faults.push(`page error: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() !== "error" && message.type() !== "warning") return;
      const status = /Failed to load resource.*status of (\d+)/.exec(message.text())?.[1];
      if (status && expectedStatuses.includes(Number(status))) return;
      if (expectedFault?.test(message.text())) return;
      faults.push(`console ${message.type()}: ${message.text()}`);
    });
    page.on("response", (response) => {
      const status = response.status();
      if (status >= 400 && !expectedStatuses.includes(status)) faults.push(`${status} for ${response.url()}`);
    });
    page.on("request", (request) => {
      const isOurs = request.url().startsWith(url) || request.url().startsWith("data:");
      if (!isOurs) faults.push(`request to a third party: ${request.url()}`);
    });
  }

  /** The same page in a window of another width. */
  async resize(width: keyof typeof WIDTHS): Promise<void> {
    this.look = { ...this.look, width };
    await this.page.setViewportSize({ width, height: WIDTHS[width] });
  }

  /** The same page for a user who prefers another theme. */
  async relight(theme: Theme): Promise<void> {
    this.look = { ...this.look, theme };
    await this.page.emulateMedia({ colorScheme: theme });
    await this.page.evaluate(REPAINTED);
  }

  /**
   * Checks the current page and adds its faults, with the theme and width. `colorsOnly`: runs only the rules that depend
   * on colours, because the page has already been checked at this width in another theme.
   */
  async inspect({ colorsOnly = false } = {}): Promise<void> {
    const { width, theme } = this.look;
    for (const problem of await this.#axe(colorsOnly ? COLOR_OPTIONS : AXE_OPTIONS))
      this.faults.push(`${theme}, ${width} px: ${problem}`);
    const overflow = await this.page.evaluate<number>(
      "document.documentElement.scrollWidth - document.documentElement.clientWidth",
    );
    if (overflow > 0) this.faults.push(`${theme}, ${width} px: scrolls sideways by ${overflow} px`);
  }

  /** Runs axe in the page through the debugger, which the Content-Security-Policy doesn't restrict. */
  async #axe(options: RunOptions): Promise<string[]> {
    const found = await this.#runAxe("document", options);
    const { pathname } = new URL(this.page.url());
    for (const { id, nodes } of process.env.SCREENSHOTS ? found.incomplete : []) {
      for (const { html } of nodes) {
        appendFileSync(TO_REVIEW, `${JSON.stringify([`${id}: ${html.slice(0, 120)}`, pathname])}\n`);
      }
    }
    const isNew = ({ id }: { id: string }) => !Object.hasOwn(REVIEWED, id);
    const problems = [...found.violations, ...found.incomplete.filter(isNew)];
    const others = problems.filter(({ id }) => id !== TARGET_SIZE);
    if (others.length < problems.length) others.push(...(await this.#smallTargets()));
    return others.map(({ id, nodes }) => `axe ${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(" | ")}`);
  }

  /** Returns only what did not pass: transferring all of axe's results would take as long as computing them. */
  async #runAxe(context: string, options: RunOptions): Promise<Pick<AxeResults, "violations" | "incomplete">> {
    if (!(await this.page.evaluate("'axe' in window"))) {
      await this.page.evaluate(AXE_SOURCE);
      // Saves sending half a megabyte again for the window's next pages.
      await this.page.addInitScript({ content: AXE_SOURCE });
    }
    const results = "({ violations, incomplete }) => JSON.stringify({ violations, incomplete })";
    return JSON.parse(
      await this.page.evaluate<string>(`axe.run(${context}, ${JSON.stringify(options)}).then(${results})`),
    );
  }

  /** Controls that are too small in the middle of the window too, where no floating control covers them. */
  async #smallTargets(): Promise<Result[]> {
    const run = (context: string) => this.#runAxe(context, { runOnly: [TARGET_SIZE] });
    const { violations, incomplete } = await run("document");
    const small: Result[] = [];
    for (const { target } of [...violations, ...incomplete].flatMap(({ nodes }) => nodes)) {
      const selector = JSON.stringify(target[0]);
      await this.page.evaluate(`document.querySelector(${selector}).scrollIntoView({ block: "center" })`);
      const again = await run(selector);
      small.push(...again.violations, ...again.incomplete);
    }
    return small;
  }

  /** Saves a screenshot for the contact sheet if they are asked for, in half the time of Playwright's own function. */
  async shoot(name: string): Promise<void> {
    if (!process.env.SCREENSHOTS) return;
    const { width, theme } = this.look;
    this.#debugger ??= await this.page.context().newCDPSession(this.page);
    const { data } = await this.#debugger.send("Page.captureScreenshot", { format: "png", optimizeForSpeed: true });
    await Bun.write(join(OUTPUT, `${name}.${width}.${theme}.png`), Buffer.from(data, "base64"));
  }

  /** Closes the window with its cookies and storage. */
  async close(): Promise<void> {
    await this.page.context().close();
  }

  /** Frees the window for the next test, on an empty page of the same site. Another site would need a new process. */
  async release(): Promise<void> {
    const { page } = this;
    const context = page.context();
    await this.#debugger?.detach();
    for (const event of ["pageerror", "console", "response", "request", "dialog"]) page.removeAllListeners(event);
    for (const tab of context.pages()) if (tab !== page) await tab.close();
    await page.unrouteAll();
    await page.route("**/*", (route) => route.fulfill({ contentType: "text/html", body: EMPTY_PAGE }));
    await page.goto("/");
    await page.sessionStorage.clear();
    await page.localStorage.clear();
    await page.unrouteAll();
    await context.clearCookies();
    idleWindows.set(this.windowKind, page);
  }
}

/** Opens a screen, runs `work` and returns the faults. The window of a failed test is not reused. */
export const onScreen = async (
  url: string,
  options: ScreenOptions,
  work: (page: Page, screen: Screen) => Promise<void>,
): Promise<string[]> => {
  const screen = await Screen.open(url, options);
  try {
    await work(screen.page, screen);
  } catch (error) {
    await screen.close();
    throw error;
  }
  await screen.release();
  return screen.faults;
};
