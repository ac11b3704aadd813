import { expect, test } from "bun:test";
import { indentJson } from "./indent-json";

test.each([
  '{"city":"Rome","days":[1,2],"unit":{}}',
  "[]",
  "[[],{}]",
  '"a {b}: [c], \\" \\\\"',
  "-15.5",
  '  {"a" :\n[ true,null ]}  ',
])("%s is indented as JSON.stringify does", (text) => {
  expect(indentJson(text)).toBe(JSON.stringify(JSON.parse(text), null, 2));
});

test("numbers and strings are kept as written", () => {
  expect(indentJson('{"id":12345678901234567890,"one":1.0,"e":"\\u00e9"}')).toBe(
    '{\n  "id": 12345678901234567890,\n  "one": 1.0,\n  "e": "\\u00e9"\n}',
  );
});

test.each(["", '{"city":"Ro', "not JSON", `${"[".repeat(40)}${"]".repeat(40)}`])("%s is not indented", (text) => {
  expect(indentJson(text)).toBeUndefined();
});
