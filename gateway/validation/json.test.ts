import { describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { AppError } from "../../lib/errors";
import { OneOf, Strict } from "../contract";
import { decodeText, parseJson, withoutNulEscapes } from "./json";

const read = (body: string | Uint8Array): unknown => parseJson(typeof body === "string" ? body : decodeText(body));

const refusal = (body: string | Uint8Array): AppError => {
  try {
    read(body);
    return new AppError("internal", "nothing was rejected");
  } catch (thrown) {
    return thrown as AppError;
  }
};

describe("a JSON body", () => {
  test("is accepted if its escapes only look forbidden", () => {
    expect(read('{"a":"ü 😀 \\u00e4 \\ud83d\\ude00 \\\\u0000 \\\\ud800 __proto__"}')).toEqual({
      a: "ü 😀 ä 😀 \\u0000 \\ud800 __proto__",
    });
  });

  test("is rejected if it is not UTF-8, even inside a string", () => {
    const bytes = Buffer.from('{"a":"??"}');
    bytes[6] = 0xff;
    const { kind, message } = refusal(bytes);
    expect([kind, message]).toEqual(["invalid_request", "The body is not valid UTF-8. Send JSON in UTF-8."]);
  });

  test.each([
    ['{"name":"\\u0000"}', "name", "NUL"],
    ['{"a":[{"b":"x\\u0000y"}]}', "a.0.b", "NUL"],
    ['{"a":{"\\u0000":1}}', "a", "NUL"],
    ['{"\\u0000":1}', undefined, "NUL"],
    ['{"a":{"b":"\\uD83D"}}', "a.b", "surrogate"],
    ['{"a":{"\\udc00":1}}', "a", "surrogate"],
    ['{"__proto__":{}}', undefined, "__proto__"],
    ['{"__proto__":5}', undefined, "__proto__"],
    ['{"a":[{"__proto__":null}]}', "a.0", "__proto__"],
    ['{"a":{"\\u005f_proto__":{}}}', "a", "__proto__"],
    ['{"a":{"__prot\\u006f__":{}}}', "a", "__proto__"],
  ])("%s is rejected, naming the field", (body, param, what) => {
    const { kind, message, detail } = refusal(body);
    expect([kind, detail.param, message]).toEqual(["invalid_request", param, expect.stringContaining(what)]);
  });
});

test("bad text in a field that is not text gets the error of that field", () => {
  const schema = Strict({
    count: Type.Optional(Type.Integer()),
    mode: Type.Optional(OneOf(["on", "off"])),
    flags: Type.Optional(Type.Array(Type.Boolean())),
    title: Type.Optional(Type.String()),
  });
  const messageFor = (body: string): string => {
    try {
      return String(parseJson(body, schema));
    } catch (error) {
      return (error as AppError).message;
    }
  };
  expect(messageFor('{"count":"\\u0000"}')).toBe('count must be a whole number, not "\\u0000".');
  expect(messageFor('{"mode":"on\\u0000"}')).toBe('mode must be "on" or "off", not "on\\u0000".');
  expect(messageFor('{"flags":[true,"\\ud83d"]}')).toBe('flags.1 must be true or false, not "\\ud83d".');
  expect(messageFor('{"title":"\\u0000","count":"x"}')).toBe(
    "title contains the character NUL, which can't be stored.",
  );
  expect(messageFor('{"other":"\\u0000"}')).toStartWith("`other` is not a field of this request.");
});

describe("a body of JSON for a model", () => {
  const readText = (body: string): unknown => parseJson(withoutNulEscapes(body));

  test.each<[string, unknown]>([
    ['{"a":"\\u0000"}', { a: "" }],
    ['{"a":"x\\u0000y"}', { a: "xy" }],
    ['{"a":["\\u0000x","y\\u0000\\u0000"]}', { a: ["x", "y"] }],
    ['{"a":{"b\\u0000":"c"}}', { a: { b: "c" } }],
    ['{"a":"\\\\u0000"}', { a: "\\u0000" }],
    ['{"a":"\\\\\\u0000"}', { a: "\\" }],
    ['{"a":"\\\\\\\\u0000"}', { a: "\\\\u0000" }],
    ['{"a":"\\n\\u0000\\t"}', { a: "\n\t" }],
    ['{"a":"\\"\\u0000\\""}', { a: '""' }],
    ['{"a":"\\u00001"}', { a: "1" }],
    ['{"a":"\\u0001"}', { a: "\u0001" }],
    ['{"a":"no escape"}', { a: "no escape" }],
  ])("NUL is removed from %s", (body, value) => {
    expect(readText(body)).toEqual(value);
  });

  test("is still rejected for a lone surrogate", () => {
    expect(() => readText('{"a":"\\u0000\\ud83d"}')).toThrow("a contains an unpaired surrogate");
  });
});
