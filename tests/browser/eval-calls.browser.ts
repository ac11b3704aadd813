import { expect, test } from "bun:test";
import { textOf } from "./chatting";
import { evaluateOn } from "./evaluate";
import { onScreen } from "./harness";
import { openPages } from "./pages";

const pages = await openPages();

const TOOL = { type: "function" as const, function: { name: "get_weather" } };
/** Evaluates an answer that calls `get_weather` with these arguments. Returns the path of the run's page. */
const evaluated = (json: string): Promise<string> =>
  evaluateOn(
    pages,
    {
      sample: {
        ...{ input: "What is the weather in Rome?", tools: [TOOL] },
        expected_tool_calls: [{ name: "get_weather", arguments: { days: 2, city: "Rome" } }],
      },
      evaluators: ["tool_call@1"],
    },
    () => pages.chat.add({ tool_calls: [{ id: "call_1", function: { name: "get_weather", arguments: json } }] }),
  );

test.each([
  ["a wide screen", 1280, "light"],
  ["a narrow dark screen", 390, "dark"],
] as const)(
  "a result shows the expected call next to the answer's, with the differences, on %s",
  async (_, width, theme) => {
    const [right, wrong] = [
      await evaluated('{"city":"Rome","days":2.0}'),
      await evaluated('{"city":"Paris","days":2}'),
    ];
    const { key } = await pages.newKey("editor");
    const { cookie: session } = await pages.sessions.signIn(key);
    const faults = await onScreen(pages.url, { session, width, theme }, async (page) => {
      const figure = (name: string) => page.locator("figure", { hasText: name }).locator("p");
      await page.goto(right);
      await page.getByText("Passed").first().waitFor();
      expect(await textOf(figure("Actual calls"))).toBe('get_weather {\n  "city": "Rome",\n  "days": 2\n}');
      expect(await page.locator("figure :is(ins, del)").count()).toBe(0);
      await page.goto(wrong);
      await page.getByText('get_weather: city is "Paris", not "Rome".').waitFor();
      expect(await page.locator("figure ins").allTextContents()).toEqual(["Paris"]);
      expect(await page.locator("figure del").allTextContents()).toEqual(["Rome"]);
      expect(await page.getByText("The answer has no text.").isVisible()).toBe(true);
      if (process.env.SHOTS)
        await page.screenshot({ path: `${process.env.SHOTS}/result-${theme}-${width}.png`, fullPage: true });
      expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBe(width);
    });
    expect(faults).toEqual([]);
  },
);
