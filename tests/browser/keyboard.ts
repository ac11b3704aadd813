import type { Page } from "playwright-core";

/** Most steps of Tab to anything on a page. */
const MOST_STEPS = 120;

/** What has the focus, as a screen reader would name it, and whether the focus can be seen. */
const focused = (page: Page): Promise<{ name: string; isVisible: boolean }> =>
  page.evaluate(`(() => {
    const element = document.activeElement;
    if (element === document.body) return { name: "", isVisible: false };
    const labels = element.labels ? [...element.labels].map((label) => label.textContent).join(" ") : "";
    const name = element.getAttribute("aria-label") || labels || element.textContent || element.value || "";
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    return { name: name.trim(), isVisible: outlineStyle !== "none" && outlineWidth !== "0px" && box.width > 0 };
  })()`);

/** Walks by Tab until what fits has the focus. Throws where it never comes, or where the focus can't be seen. */
export const tabTo = async (page: Page, name: RegExp): Promise<void> => {
  for (let step = 0; step < MOST_STEPS; step++) {
    await page.keyboard.press("Tab");
    const now = await focused(page);
    if (!name.test(now.name)) continue;
    if (now.isVisible) return;
    throw new Error(`The focus on "${now.name}" can't be seen.`);
  }
  throw new Error(`Tab never reaches ${name}.`);
};
