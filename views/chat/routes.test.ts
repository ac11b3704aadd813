import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Pages, startPages } from "../../tests/browser/pages";
import { until } from "../../tests/until";

/** The server gives up silent connections after a second, so that the test need not wait for ten. */
let pages: Pages;
beforeAll(async () => {
  pages = await startPages({ idleSeconds: 1 });
});
afterAll(() => pages.stop());

/** Resolves when the server has given up a connection that asked for a page now and then said nothing more. */
const silentConnectionEnds = async (): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { hostname, port } = new URL(pages.url);
  const socket = await Bun.connect({ hostname, port: Number(port), socket: { data() {}, close: () => resolve() } });
  socket.write(`GET /sign-in HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`);
  await promise;
};

test("without scripts the form waits for an answer that takes longer than a silent connection lasts", async () => {
  const { key } = await pages.newKey("member");
  const { cookie } = await pages.sessions.signIn(key);
  const headers = { cookie: `groundwire=${cookie}`, origin: pages.url };
  const post = (path: string, form: Record<string, string>) =>
    fetch(`${pages.url}${path}`, { method: "POST", headers, body: new URLSearchParams(form), redirect: "manual" });

  pages.chat.finish();
  const { headers: told } = await post("/chat", { question: "Tell me a story" });
  const chat = told.get("location") ?? "";
  expect(chat).toStartWith("/chat/chat_");

  pages.chat.reset();
  const slow = Promise.all([post("/chat", { question: "Tell me a long one" }), post(`${chat}/regenerate`, {})]);
  await until("both answers have begun", () => pages.chat.asked === 3);
  await silentConnectionEnds();
  pages.chat.finish();
  expect((await slow).map(({ status }) => status)).toEqual([303, 303]);
}, 30_000);
