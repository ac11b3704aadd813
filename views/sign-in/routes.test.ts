import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Pages, startPages } from "../../tests/browser/pages";

let pages: Pages;
beforeAll(async () => {
  pages = await startPages();
});
afterAll(() => pages.stop());

let sent = 0;
/** Each attempt pretends to come from another address. */
const signIn = (form: { key: string } | { token: string }) =>
  fetch(`${pages.url}/sign-in`, {
    method: "POST",
    headers: { origin: pages.url, "x-forwarded-for": `10.0.0.${++sent}`, "x-real-ip": `10.0.0.${sent}` },
    body: new URLSearchParams({ ...form }),
    redirect: "manual",
  });

test("submitting no key asks for the key and does not count as a guess", async () => {
  for (let tries = 0; tries < 40; tries++) {
    const refused = await signIn({ key: " " });
    expect([refused.status, await refused.text()]).toEqual([422, expect.stringContaining("Enter your key")]);
  }
});

test("S3: repeated guesses are blocked for a while, whatever address they pretend to come from", async () => {
  for (let tries = 0; tries < 30; tries++) expect((await signIn({ key: "gw_wrong" })).status).toBe(422);
  const { key } = await pages.newKey("member");
  for (const body of [{ key }, { token: "guessed" }]) {
    const stopped = await signIn(body);
    expect(stopped.status).toBe(429);
    expect(Number(stopped.headers.get("retry-after"))).toBeWithin(1, 61);
    expect(await stopped.text()).toMatch(/Too many failed sign-ins\. Try again in \d+ s\./);
  }
});
