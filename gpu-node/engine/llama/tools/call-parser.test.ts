import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { CallDelta } from "../../engine";
import { CALL_FORMATS, type CallFormat, TAGGED } from "./call-format";
import { CallParser } from "./call-parser";

const [, LISTED = TAGGED, BARE = TAGGED] = CALL_FORMATS;
const NAMES = new Set(["f", "get_weather"]);
const NOTHING = { text: "", calls: [] };

interface Read {
  text: string;
  calls: { name?: string; arguments: string }[];
  hasCalled: boolean;
}

/** Joins the pieces as a client does, and checks their order. */
const join = (pieces: { text: string; calls: CallDelta[] }[]): Pick<Read, "text" | "calls"> => {
  const calls: Read["calls"] = [];
  for (const { index, id, name, arguments: text } of pieces.flatMap((piece) => piece.calls)) {
    if (id === undefined) expect(index).toBe(calls.length - 1);
    else {
      expect([index, id]).toEqual([calls.length, expect.stringMatching(/^call_[0-9a-f]{24}$/)]);
      calls.push({ name, arguments: "" });
    }
    const call = calls[index];
    if (call) call.arguments += text;
  }
  return { text: pieces.map((piece) => piece.text).join(""), calls };
};

const read = (format: CallFormat, pieces: string[], maxCalls?: number): Read => {
  const parser = new CallParser(format, NAMES, { maxCalls });
  const given = pieces.map((piece) => parser.push(piece));
  const { hasCalled } = parser;
  return { ...join([...given, parser.flush()]), hasCalled };
};

const call = (text = '{"city": "Rome"}', name = "f") => ({ name, arguments: text });
const F = '{"name": "f", "arguments": {"city": "Rome"}}';
const BROKEN = '{"name": "f", "arguments": {"city": Rome}}';

type Row = [what: string, format: CallFormat, answer: string, text: string, calls: object[]];
const ROWS: Row[] = [
  ["text only", TAGGED, "It is sunny.\n", "It is sunny.\n", []],
  ["an empty answer", TAGGED, "", "", []],
  ["white space only", TAGGED, " \n", " \n", []],
  ["a call", TAGGED, `<tool_call>\n${F}\n</tool_call>`, "", [call()]],
  ["a call without line breaks", TAGGED, `<tool_call>${F}</tool_call>`, "", [call()]],
  ["text before a call", TAGGED, `Wait.\n\n<tool_call>${F}</tool_call>\n`, "Wait.", [call()]],
  ["text after a call", TAGGED, `<tool_call>${F}</tool_call>\n\nDone.`, "Done.", [call()]],
  [
    "two calls",
    TAGGED,
    `<tool_call>${F}</tool_call>\n<tool_call>${F.replace("Rome", "Łódź")}</tool_call>`,
    "",
    [call(), call('{"city": "Łódź"}')],
  ],
  ["two calls in one tag", TAGGED, `<tool_call>[${F}, ${F}]</tool_call>`, "", [call(), call()]],
  ["two objects without tags between", TAGGED, `<tool_call>${F}\n${F}</tool_call>`, "", [call(), call()]],
  ["a call without its closing tag", TAGGED, `<tool_call>${F}`, "", [call()]],
  ["a call cut inside its closing tag", TAGGED, `<tool_call>${F}</tool_`, "", [call()]],
  ["a call that lacks a brace", TAGGED, `<tool_call>${F.slice(0, -1)}</tool_call>`, "", [call()]],
  ["a call without a tag", TAGGED, ` ${F}`, "", [call()]],
  ["a list without a tag", TAGGED, `[${F},\n${F}]`, "", [call(), call()]],
  ["an object after text", TAGGED, `See ${F}`, `See ${F}`, []],
  ["no arguments", TAGGED, '<tool_call>{"name": "f"}</tool_call>', "", [call("{}")]],
  ["arguments as text", TAGGED, `{"name": "f", "arguments": "{\\"a\\": 1}"}`, "", [call('{"a": 1}')]],
  [
    "arguments before the name",
    TAGGED,
    `{"arguments": {"a": {"b": 12345678901234567890}}, "name": "f"}`,
    "",
    [call('{"a": {"b": 12345678901234567890}}')],
  ],
  ["a type and an id", TAGGED, `{"type": "function", "name": "f", "parameters": {}, "id": "x{"}`, "", [call("{}")]],
  [
    "brackets and quotes in strings",
    TAGGED,
    `{"name": "f", "arguments": {"a": "}]\\"{"}}`,
    "",
    [call('{"a": "}]\\"{"}')],
  ],
  ["invalid JSON in the arguments", TAGGED, `<tool_call>${BROKEN}</tool_call>`, "", [call('{"city": Rome}')]],
  [
    "an unknown function",
    TAGGED,
    `<tool_call>${F.replace('"f"', '"g"')}</tool_call>`,
    `<tool_call>${F.replace('"f"', '"g"')}</tool_call>`,
    [],
  ],
  ["an unknown member", TAGGED, `{"answer": 4, "name": "f"}`, `{"answer": 4, "name": "f"}`, []],
  ["an object that isn't a call", TAGGED, '{"name": 4, "arguments": {}}', '{"name": 4, "arguments": {}}', []],
  ["a list as arguments", TAGGED, '{"name": "f", "arguments": [1]}', '{"name": "f", "arguments": [1]}', []],
  ["a tag without an object", TAGGED, "<tool_call>f()</tool_call>", "<tool_call>f()</tool_call>", []],
  ["a call after a broken one", TAGGED, `<tool_call>oops <tool_call>${F}</tool_call>`, "<tool_call>oops", [call()]],
  ["a tag cut short", TAGGED, "1 < 2 <tool_", "1 < 2 <tool_", []],
  [
    "an object cut before its arguments",
    TAGGED,
    '<tool_call>{"name": "f", "argu',
    '<tool_call>{"name": "f", "argu',
    [],
  ],
  ["something like a tag", TAGGED, `<<tool_call>${F}</tool_call>`, "<", [call()]],
  ["Llama's format", BARE, '{"name": "f", "parameters": {"city": "Rome"}}', "", [call()]],
  ["Llama's marker", BARE, `<|python_tag|>${F}; ${F}`, "", [call(), call()]],
  ["Llama's marker before code", BARE, "<|python_tag|>print(1)", "<|python_tag|>print(1)", []],
  ["Mistral's format", LISTED, `[TOOL_CALLS][${F}, ${F}]`, "", [call(), call()]],
  ["Mistral's format with ids", LISTED, `[TOOL_CALLS] [${F.slice(0, -1)}, "id": "abcdefghi"}]`, "", [call()]],
  ["Mistral's format without its marker", LISTED, `[${F}]`, "", [call()]],
  ["a link", LISTED, "[Rome](https://rome.example)", "[Rome](https://rome.example)", []],
  ["an unknown function in a list", LISTED, `[TOOL_CALLS][${F}, {"name": "g"}]`, ', {"name": "g"}]', [call()]],
];

test.each(ROWS)("%s", (_, format, answer, text, calls) => {
  expect(read(format, [answer])).toEqual({ text, calls: calls as Read["calls"], hasCalled: calls.length > 0 });
});

test("a call that is cut off in its arguments keeps what has arrived, and is not complete", () => {
  const cut = read(TAGGED, ['<tool_call>{"name": "f", "arguments": {"city": "Ro']);
  expect(cut).toEqual({ text: "", calls: [call('{"city": "Ro')], hasCalled: false });
});

test("a required call that ends before its arguments start leaves no text", () => {
  for (const [format, start] of [
    [TAGGED, "<tool_call>"],
    [LISTED, "[TOOL_CALLS]["],
    [BARE, ""],
  ] as const) {
    const head = `${start}{"name": "f", "${format.member}": `;
    for (let length = 0; length <= head.length; length++) {
      const parser = new CallParser(format, NAMES, { isRequired: true });
      expect([parser.push(head.slice(0, length)), parser.flush()]).toEqual([NOTHING, NOTHING]);
      expect([parser.hasCalled, parser.isOver]).toEqual([false, false]);
    }
  }
  const parser = new CallParser(TAGGED, NAMES, { isRequired: true });
  expect(join([parser.push(`<tool_call>${F}`)])).toEqual({ text: "", calls: [call()] });
  expect(parser.isOver).toBe(true);
});

test("the answer ends after the maximum number of calls", () => {
  const two = `<tool_call>${F}</tool_call><tool_call>${F}</tool_call>`;
  expect(read(TAGGED, [two], 1).calls).toHaveLength(1);
  const parser = new CallParser(TAGGED, NAMES, { maxCalls: 1 });
  parser.push(`<tool_call>${F.slice(0, -1)}`);
  expect(parser.isOver).toBe(true);
  expect(parser.push("} and more")).toEqual(NOTHING);
});

describe("an answer in pieces", () => {
  const alphabet = [
    "<tool_call>",
    "</tool_call>",
    "[TOOL_CALLS]",
    "<|python_tag|>",
    F,
    BROKEN,
    "{",
    "}",
    "[",
    "]",
    '"',
    "\\",
  ];
  const part = fc.constantFrom(
    ...alphabet,
    '"name"',
    ":",
    ",",
    ";",
    '"f"',
    '"arguments"',
    "{}",
    "\n",
    " ",
    "text",
    "<",
    "👩‍🚀",
  );
  const answers = fc.oneof(
    fc.array(part, { maxLength: 14 }).map((parts) => parts.join("")),
    fc.constantFrom(...ROWS.map(([, , answer]) => answer)),
  );

  test("gives the same text and calls wherever it is split, and loses no text without calls", () => {
    fc.assert(
      fc.property(
        answers,
        fc.constantFrom(...CALL_FORMATS),
        fc.constantFrom(1, undefined),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        (answer, format, maxCalls, sizes) => {
          const characters = [...answer];
          const pieces: string[] = [];
          for (let at = 0, turn = 0; at < characters.length; turn++) {
            const size = sizes[turn % sizes.length] ?? 1;
            pieces.push(characters.slice(at, at + size).join(""));
            at += size;
          }
          const whole = read(format, [answer], maxCalls);
          expect(read(format, pieces, maxCalls)).toEqual(whole);
          if (whole.calls.length === 0) expect(whole.text).toBe(answer);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("passes on text before a call immediately, and holds back only what may be a call", () => {
    const parser = new CallParser(TAGGED, NAMES);
    const push = (text: string) => parser.push(text).text;
    expect(["Let", " me", " look", ".", " <", "b>", "<tool", "_box>"].map(push)).toEqual([
      "Let",
      " me",
      " look",
      ".",
      "",
      " <b>",
      "",
      "<tool_box>",
    ]);
  });

  test("passes on the name first, then the arguments as they arrive", () => {
    const parser = new CallParser(TAGGED, NAMES);
    const pieces = ["<tool_call>\n{", '"name": "f", ', '"arguments": ', '{"a"', ": 1", "}}", "\n</tool_call>"];
    expect(pieces.flatMap((piece) => parser.push(piece).calls)).toEqual([
      { index: 0, id: expect.any(String), name: "f", arguments: '{"a"' },
      { index: 0, arguments: ": 1" },
      { index: 0, arguments: "}" },
    ]);
  });

  test("with a long string is read in linear time", () => {
    const long = `<tool_call>{"name": "f", "arguments": {"a": "${"x".repeat(200_000)}"}}`;
    const startedAt = performance.now();
    expect(read(TAGGED, [...long]).calls).toHaveLength(1);
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  test("S4: nested starts of calls that come to nothing are read in time, and are text", () => {
    const nested = `${'<tool_call>{"arguments": {"a": '.repeat(2000)}${"}".repeat(4000)}`;
    const startedAt = performance.now();
    expect(read(TAGGED, [nested])).toEqual({ text: nested, calls: [], hasCalled: false });
    expect(read(TAGGED, [...nested]).text).toBe(nested);
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });
});
