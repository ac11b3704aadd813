import { expect, test } from "bun:test";
import { problemOf } from "../../tests/db/temporary";
import { receiveFiles } from "./multipart";
import type { Upload } from "./service";

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

type Receiver = Parameters<typeof receiveFiles>[1];

const read = (uploads: Receiver, form: AsyncIterable<Uint8Array>, most = 1) =>
  receiveFiles({ contentType: TYPE, pieces: () => form }, uploads, { keyId: "key_1" }, most, "file");

/** Stores files with a short delay, like a database, and records what happens to them. */
const recorder = () => {
  const log: string[] = [];
  return {
    log,
    uploads: {
      async receive(stream, { fileName }) {
        log.push(`begun ${fileName}`);
        await Bun.sleep(1);
        try {
          let text = "";
          for await (const bytes of stream) text += new TextDecoder().decode(bytes);
          log.push("taken");
          return { id: text } as Upload;
        } catch (error) {
          log.push("broken off");
          throw error;
        }
      },
      async discard(id) {
        log.push(`discarded ${id}`);
      },
    } satisfies Receiver,
  };
};

test("reading a form returns its fields and the result of storing its file", async () => {
  const { uploads, log } = recorder();
  const form = formOf(field("name", "x"), file("a,b"), field("mode", "merge"), END);
  expect<unknown>(await read(uploads, form)).toEqual({ fields: { name: "x", mode: "merge" }, files: [{ id: "a,b" }] });
  expect(log).toEqual(["begun a.csv", "taken"]);
});

test("a file that is sent as text is rejected with what to do, and nothing is kept", async () => {
  const { uploads, log } = recorder();
  const { kind, message, detail } = await problemOf(read(uploads, formOf(field("file", "a,b"), END)));
  expect([kind, detail.param, log]).toEqual(["invalid_request", "file", []]);
  expect(message).toBe(
    "file was sent as text. Send it as a file with a name, for example with curl -F file=@questions.csv.",
  );
});

test("a form may have as many files as its route takes, and a rejected one keeps none", async () => {
  const { uploads, log } = recorder();
  const { files } = await read(uploads, formOf(file("one"), file("two"), END), 2);
  expect(files.map(({ id }) => id)).toEqual(["one", "two"]);
  const { message } = await problemOf(read(uploads, formOf(file("a"), file("b"), file("c"), END), 2));
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
  const { uploads, log } = recorder();
  await problemOf(read(uploads, formOf(...pieces)));
  expect(log[0]).toBe("begun a.csv");
  expect(["broken off", "discarded rows"]).toContain(log.at(-1) ?? "");
});

test("a file that was stored before the form is rejected is discarded", async () => {
  const { uploads, log } = recorder();
  const late = formOf(file("rows"), field("a", "1"), ...Array.from({ length: 20 }, () => ""), field("a", "2"), END);
  expect((await problemOf(read(uploads, late))).detail.param).toBe("a");
  expect(log).toEqual(["begun a.csv", "taken", "discarded rows"]);
});

test.each([
  ["a file under another name", [file("rows", "upload"), END]],
  ["a field twice before the file", [field("a", "1"), field("a", "2"), file("rows"), END]],
])("a form with %s is rejected before its file is stored", async (_, pieces) => {
  const { uploads, log } = recorder();
  expect((await problemOf(read(uploads, formOf(...pieces)))).kind).toBe("invalid_request");
  await Bun.sleep(20);
  expect(log).toEqual([]);
});

test("an error while storing the file stops reading the form", async () => {
  const uploads = {
    async receive(): Promise<Upload> {
      throw new Error("full");
    },
    async discard() {},
  };
  expect(read(uploads, formOf(file("rows"), END))).rejects.toThrow("full");
});
