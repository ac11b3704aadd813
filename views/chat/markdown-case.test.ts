import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Pages, startPages } from "../../tests/browser/pages";

const CASES = join(import.meta.dir, "../../../shared/data/cases");
const hasCases = existsSync(CASES);

let pages: Pages;
beforeAll(async () => {
  if (hasCases) pages = await startPages();
});
afterAll(() => pages?.stop());

test.skipIf(!hasCases)("the chat page renders chat-markdown.md as expected.json specifies", async () => {
  const read = (name: string) => readFileSync(join(CASES, name), "utf8");
  const expected: { html_contains: string[]; html_lacks: string[] } = JSON.parse(read("expected.json"))[
    "chat-markdown.md"
  ];
  const { key } = await pages.newKey("member");
  const headers = { cookie: `groundwire=${(await pages.sessions.signIn(key)).cookie}`, origin: pages.url };
  pages.chat.say(read("chat-markdown.md"));
  pages.chat.finish();
  const asked = await fetch(`${pages.url}/chat`, {
    method: "POST",
    headers,
    body: new URLSearchParams({ question: "What is it?" }),
  });
  const [, answer = ""] = /<article class="turn answer"[^>]*>([\s\S]*?)<footer>/.exec(await asked.text()) ?? [];
  for (const text of expected.html_contains) expect(answer).toContain(text);
  for (const text of expected.html_lacks) expect(answer).not.toContain(text);
  expect(answer).toContain("<strong>历经10年发展，</strong>");
});
