import { expect, test } from "bun:test";
import { content, encoder, frame, head, usage } from "../../tests/chat-frames";
import { toCompletion } from "./frames";
import { type Completion, parseFrames, replaceId, takeUsageFrame, toStored, withIdentity, withOwnId } from "./wire";

const textOf = ({ choices }: Completion): string => choices[0]?.delta?.content ?? "";

test("an id is replaced in every frame, but not in text that quotes it", () => {
  const quoting = content(`my "id":"chatcmpl-1" is "chatcmpl-1" 🙂`);
  const frames = `${content("a")}${quoting}${frame({ choices: [], usage })}`;
  const replaced = Buffer.from(replaceId(encoder.encode(frames), "chatcmpl-1", "chatcmpl-of-another")).toString();
  const chunks = parseFrames([encoder.encode(replaced)]);
  expect(chunks.map(({ id }) => id)).toEqual(Array(3).fill("chatcmpl-of-another"));
  expect(chunks.map(textOf)).toEqual(["a", `my "id":"chatcmpl-1" is "chatcmpl-1" 🙂`, ""]);
});

test("a caller that joined gets its own id, even if the stream begins with a comment", async () => {
  async function* pieces() {
    for (const text of [
      ": waiting\n\n",
      ": waiting\n\n",
      `: waiting\n\n${content("a")}`,
      content("b"),
      "data: [DONE]\n\n",
    ])
      yield encoder.encode(text);
  }
  const own = await Array.fromAsync(withOwnId(pieces(), "chatcmpl-own"));
  expect(own.map((piece) => Buffer.from(piece).toString()).join("")).not.toContain('"chatcmpl-1"');
  expect(parseFrames(own).map((chunk) => [chunk.id, textOf(chunk)])).toEqual([
    ["chatcmpl-own", "a"],
    ["chatcmpl-own", "b"],
  ]);
});

test("an answer is stored without its id, and gets a new one each time", () => {
  const stored = toStored(toCompletion([encoder.encode(content("Hello", "stop") + frame({ choices: [], usage }))]));
  expect(stored).not.toContain("chatcmpl-1");
  const [first, second] = ["chatcmpl-a", "chatcmpl-b"].map((id) => JSON.parse(withIdentity(stored ?? "", id)));
  expect([first.id, second.id]).toEqual(["chatcmpl-a", "chatcmpl-b"]);
  expect(first.created).toBeGreaterThan(head.created);
  expect(first.choices).toEqual(second.choices);
});

test("the usage frame is found and removed, whatever comes before or after it", () => {
  const before = content("x", "stop");
  const done = "data: [DONE]\n\n";
  for (const [start, end] of [
    [before, done],
    ["", done],
    [before, ""],
  ]) {
    const found = takeUsageFrame(encoder.encode(`${start}${frame({ choices: [], usage })}${end}`));
    expect(found?.chunk.usage).toEqual(usage);
    expect(Buffer.from(found?.rest ?? []).toString()).toBe(`${start}${end}`);
  }
});

test("text that looks like a usage frame is not removed", () => {
  expect(takeUsageFrame(encoder.encode(content('"choices":[] "usage":{}')))).toBeUndefined();
});
