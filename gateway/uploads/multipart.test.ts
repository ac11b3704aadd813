import { expect, test } from "bun:test";
import { problemOf } from "../../tests/db/temporary";
import { readForm } from "./multipart";

const BOUNDARY = "a-boundary";

const field = (name: string, value: string): string =>
  `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const file = (text: string, name = "file"): string =>
  `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"; filename="a.csv"\r\n\r\n${text}\r\n`;
const END = `--${BOUNDARY}--\r\n`;

/** A form that arrives in these pieces. An Error among them aborts the form. */
async function* formOf(...pieces: (string | Error)[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    await Bun.sleep(1);
    if (piece instanceof Error) throw piece;
    yield new TextEncoder().encode(piece);
  }
}

const TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

/** Stores files with a short delay, like a database, and records what happens to them. */
const recorder = () => {
  const log: string[] = [];
  return {
    log,
    taker: {
      field: "file",
      most: 1,
      async take(stream: AsyncIterable<Uint8Array>, name: string | null) {
        log.push(`begun ${name}`);
        await Bun.sleep(1);
        try {
          let text = "";
          for await (const bytes of stream) text += new TextDecoder().decode(bytes);
          log.push("taken");
          return text;
        } catch (error) {
          log.push("broken off");
          throw error;
        }
      },
      async discard(text: string) {
        log.push(`discarded ${text}`);
      },
    },
  };
};

test("reading a form returns its fields and the result of storing its file", async () => {
  const { taker, log } = recorder();
  const read = await readForm(TYPE, formOf(field("name", "x"), file("a,b"), field("mode", "merge"), END), taker);
  expect(read).toEqual({ fields: { name: "x", mode: "merge" }, files: ["a,b"] });
  expect(log).toEqual(["begun a.csv", "taken"]);
});

test("a file that is sent as text is rejected with what to do, and nothing is kept", async () => {
  const { taker, log } = recorder();
  const { kind, message, detail } = await problemOf(readForm(TYPE, formOf(field("file", "a,b"), END), taker));
  expect([kind, detail.param, log]).toEqual(["invalid_request", "file", []]);
  expect(message).toBe(
    "file was sent as text. Send it as a file with a name, for example with curl -F file=@questions.csv.",
  );
});

test("a form may have as many files as its route takes, and a rejected one keeps none", async () => {
  const { taker, log } = recorder();
  const two = { ...taker, most: 2 };
  expect((await readForm(TYPE, formOf(file("one"), file("two"), END), two)).files).toEqual(["one", "two"]);
  const { message } = await problemOf(readForm(TYPE, formOf(file("a"), file("b"), file("c"), END), two));
  expect(message).toBe("There are more than 2 files. Send the others in another request.");
  expect(log).toContain("discarded a");
  expect(["broken off", "discarded b"]).toContain(log.at(-1) ?? "");
});

test.each([
  ["a field twice after the file", [file("rows"), field("a", "1"), field("a", "2"), END]],
  ["a second file", [file("rows"), file("more"), END]],
  ["all of that in one piece", [file("rows") + field("a", "1") + field("a", "2") + END]],
  ["a body that breaks off", [file("rows").slice(0, -4), new Error("reset")]],
  ["a missing end", [file("rows").slice(0, -4)]],
])("a form with %s is rejected, and its file is not kept", async (_, pieces) => {
  const { taker, log } = recorder();
  await problemOf(readForm(TYPE, formOf(...pieces), taker));
  expect(log[0]).toBe("begun a.csv");
  expect(["broken off", "discarded rows"]).toContain(log.at(-1) ?? "");
});

test("a file that was stored before the form is rejected is discarded", async () => {
  const { taker, log } = recorder();
  const late = formOf(file("rows"), field("a", "1"), ...Array.from({ length: 20 }, () => ""), field("a", "2"), END);
  expect((await problemOf(readForm(TYPE, late, taker))).detail.param).toBe("a");
  expect(log).toEqual(["begun a.csv", "taken", "discarded rows"]);
});

test.each([
  ["a file under another name", [file("rows", "upload"), END]],
  ["a field twice before the file", [field("a", "1"), field("a", "2"), file("rows"), END]],
])("a form with %s is rejected before its file is stored", async (_, pieces) => {
  const { taker, log } = recorder();
  expect((await problemOf(readForm(TYPE, formOf(...pieces), taker))).kind).toBe("invalid_request");
  await Bun.sleep(20);
  expect(log).toEqual([]);
});

test("an error while storing the file stops reading the form", async () => {
  const taker = {
    field: "file",
    most: 1,
    async take(): Promise<string> {
      throw new Error("full");
    },
    async discard() {},
  };
  expect(readForm(TYPE, formOf(file("rows"), END), taker)).rejects.toThrow("full");
});
