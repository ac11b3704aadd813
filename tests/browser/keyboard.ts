import type { Page } from "playwright-core";

/** Maximum number of Tab presses to reach an element. */
const MAX_STEPS = 120;

/** The focused element's name for a screen reader, and whether its focus is visible. */
const focused = (page: Page): Promise<{ name: string; isVisible: boolean }> =>
  page.evaluate(`(() => {
    const element = document.activeElement;
    if (element === document.body) return { name: "", isVisible: false };
    const labels = element.labels ? [...element.labels].map((label) => label.textContent).join(" ") : "";
    const name = element.getAttribute("aria-label") || labels || element.innerText || element.value || "";
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    return { name: name.trim(), isVisible: outlineStyle !== "none" && outlineWidth !== "0px" && box.width > 0 };
  })()`);

/** Presses Tab until a matching element has the focus. Throws if no element gets it, or if the focus is not visible. */
export const tabTo = async (page: Page, name: RegExp): Promise<void> => {
  for (let step = 0; step < MAX_STEPS; step++) {
    await page.keyboard.press("Tab");
    const now = await focused(page);
    if (!name.test(now.name)) continue;
    if (now.isVisible) return;
    throw new Error(`The focus on "${now.name}" is not visible.`);
  }
  throw new Error(`Tab never reaches ${name}.`);
};
