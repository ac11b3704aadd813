import { expect, test } from "bun:test";
import { EMPTY_FORM, joinContexts, readEvalForm } from "./form";

const FILLED = { ...EMPTY_FORM, input: "Who?", references: "Ada", evaluators: ["reference@1"] };
const contextsOf = (contexts: string) => {
  const read = readEvalForm({ ...FILLED, contexts });
  return "request" in read ? read.request.sample?.contexts : read.problems;
};

test("contexts are apart by lines of nothing but three or more dashes", () => {
  expect(contextsOf("one\n---\ntwo\n\n  -----  \n\nthree\nin two lines")).toEqual([
    "one",
    "two",
    "three\nin two lines",
  ]);
  expect(contextsOf("one\r\n---\r\ntwo")).toEqual(["one", "two"]);
  expect(contextsOf("one --- still one\n--\n- --")).toEqual(["one --- still one\n--\n- --"]);
  expect(contextsOf("---\n\n---")).toBeUndefined();
  expect(contextsOf(joinContexts(["a", "b"]))).toEqual(["a", "b"]);
});

// What takes the square of the length takes minutes here.
test.each(["\n", " ", "\t\n", "-\n", "--- "])(
  "a context of a million characters, %j over and over, is read at once",
  (part) => {
    const text = part.repeat(Math.ceil(1_000_000 / part.length));
    expect(contextsOf(`one\n${text}\ntwo`)).toHaveLength(1);
  },
);
