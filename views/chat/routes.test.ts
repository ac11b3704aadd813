import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Pages, startPages } from "../../tests/browser/pages";
import { until } from "../../tests/until";

/** The server closes idle connections after a second instead of ten, so that the test is faster. */
let pages: Pages;
beforeAll(async () => {
  pages = await startPages({ idleSeconds: 1 });
});
afterAll(() => pages.stop());

/** A chat of a new key with one answered question; `post` sends the key's forms. */
const answeredChat = async () => {
  const { key } = await pages.newKey("member");
  const { cookie } = await pages.sessions.signIn(key);
  const headers = { cookie: `groundwire=${cookie}`, origin: pages.url };
  const post = (path: string, form: Record<string, string>) =>
    fetch(`${pages.url}${path}`, { method: "POST", headers, body: new URLSearchParams(form), redirect: "manual" });
  pages.chat.reset();
  pages.chat.finish();
  const chat = (await post("/chat", { question: "Tell me a story" })).headers.get("location") ?? "";
  const page = async () => (await fetch(`${pages.url}${chat}`, { headers })).text();
  const againPath = async () => /action="([^"]+\/regenerate)"/.exec(await page())?.[1] ?? "";
  return { chat, post, page, againPath };
};

/** Requests a page, keeps the connection idle, and resolves when the server has closed it. */
const silentConnectionEnds = async (): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { hostname, port } = new URL(pages.url);
  const socket = await Bun.connect({ hostname, port: Number(port), socket: { data() {}, close: () => resolve() } });
  socket.write(`GET /sign-in HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`);
  await promise;
};

test("without scripts, the form waits for an answer that takes longer than the idle timeout", async () => {
  const { chat, post, againPath } = await answeredChat();
  expect(chat).toStartWith("/chat/chat_");
  const path = await againPath();
  const asked = pages.chat.asked;

  pages.chat.reset();
  const slow = Promise.all([post("/chat", { question: "Tell me a long one" }), post(path, {})]);
  await until("both answers have begun", () => pages.chat.asked === asked + 2);
  await silentConnectionEnds();
  pages.chat.finish();
  expect((await slow).map(({ status }) => status)).toEqual([303, 303]);
}, 30_000);

test("a page that still shows a deleted turn doesn't answer another question again", async () => {
  const { chat, post, page, againPath } = await answeredChat();
  const shown = await againPath();
  const question = /id="(msg_[^"]+)"/.exec(await page())?.[1];
  await post(`${chat}/questions/${question}/delete`, {});
  await post("/chat", { conversation: chat.slice("/chat/".length), question: "Another" });
  const before = await page();
  expect(await (await post(shown, {})).text()).toContain(
    "This answer does not exist in this conversation, or it was deleted.",
  );
  expect(await page()).toBe(before);
});
