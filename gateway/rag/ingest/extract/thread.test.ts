import { expect, test } from "bun:test";
import { problemOf } from "../../../../tests/db/temporary";
import { extractInThread } from "./thread";

const fileOf = (name: string, text: string) => ({ name, bytes: new TextEncoder().encode(text) });

test("files extracted in parallel or one after another each return their own text", async () => {
  const names = Array.from({ length: 6 }, (_, n) => `note ${n}`);
  const extractAll = () =>
    Promise.all(names.map((name) => extractInThread(fileOf(`${name}.md`, `# ${name}\n\nText.`))));
  for (let round = 0; round < 2; round++) {
    expect((await extractAll()).map(({ title }) => title)).toEqual(names);
  }
});

test("the error of an unreadable file keeps its kind and message, and the next file is read", async () => {
  const { kind, message } = await problemOf(extractInThread(fileOf("empty.md", "")));
  expect([kind, message]).toEqual(["invalid_request", "The file is empty (0 bytes). Upload a file with text."]);
  expect((await extractInThread(fileOf("a.md", "# A"))).title).toBe("A");
});

test("a cancelled extraction stops, and the next file is read", async () => {
  const cancel = new AbortController();
  const cancelled = problemOf(extractInThread(fileOf("a.md", "word ".repeat(100_000)), cancel.signal));
  cancel.abort();
  expect((await cancelled).kind).toBe("client_closed");
  expect((await extractInThread(fileOf("b.md", "# B"))).title).toBe("B");
});
