import { expect, test } from "bun:test";
import { textOfCall } from "./calls";

test("a call is shown with its keys in order and a line for every value", () => {
  const text = textOfCall({ name: "f", arguments: { b: [1, {}], a: { d: "x", c: null } } });
  expect(text).toBe('f {\n  "a": {\n    "c": null,\n    "d": "x"\n  },\n  "b": [\n    1,\n    {}\n  ]\n}');
});

test("S4: deeply nested arguments are not indented, because that would take quadratic space", () => {
  const deep = JSON.parse(`${"[".repeat(1000)}${"]".repeat(1000)}`);
  expect(textOfCall({ name: "f", arguments: { deep } })).toHaveLength(2011);
});
