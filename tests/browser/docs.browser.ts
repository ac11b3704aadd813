import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Stack, startStack } from "../contract/stack";
import { closeWindows, onScreen, THEMES } from "./harness";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(async () => {
  await closeWindows();
  await stack.close();
});

describe.each([...THEMES])("the API reader, %s", (theme) => {
  test("renders the document under its Content-Security-Policy, without requests to other servers", async () => {
    const faults = await onScreen(stack.url, { theme }, async (page, screen) => {
      await page.goto("/docs");
      await page.locator("#operations-tag-Chat").click();
      const operation = page.locator("#operations-Chat-postChat");
      await operation.getByRole("button").first().click();
      await operation.getByText("Name three colours.").first().waitFor();
      await screen.shoot("docs");
    });
    expect(faults).toEqual([]);
  });
});
