import { expect, test } from "bun:test";
import fc from "fast-check";
import { Parser } from "htmlparser2";
import { type JunitCase, writeJunit } from "./junit";

const SUITE = { name: "a suite", startedAt: "2026-11-30T12:00:00.000Z", properties: { seed: "7" } };
const COUNTS = { tests: 1, failures: 1, errors: 0, skipped: 0, seconds: 0.25 };

const textOf = async (cases: readonly JunitCase[]): Promise<string> =>
  (await Array.fromAsync(writeJunit({ ...SUITE, ...COUNTS }, cases))).join("");

/** Characters that XML can't contain, not even as an entity. */
const FORBIDDEN = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;
const unit = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  fc.constantFrom("&", "<", ">", '"', "]]>", "\0", "\u0001", "\u000b", "\ud83d", "\udc00", "\uffff", "\t", "\n", "\r"),
);

test("an XML parser reads every text back, without the characters that XML can't contain", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit }), fc.string({ unit }), async (name, text) => {
      const outcome = { kind: "failure", type: "wrong", message: name, text } as const;
      const xml = await textOf([{ name, classname: "c", seconds: 0.25, outcome }]);
      expect(xml.replace(FORBIDDEN, "")).toBe(xml);
      const found: { attributes: Record<string, string>[]; text: string } = { attributes: [], text: "" };
      let isInside = false;
      const parser = new Parser(
        {
          onopentag: (tag, attributes) => {
            isInside = tag === "failure";
            if (isInside || tag === "testcase") found.attributes.push(attributes);
          },
          ontext: (piece) => {
            if (isInside) found.text += piece;
          },
          onclosetag: () => {
            isInside = false;
          },
        },
        { xmlMode: true },
      );
      parser.end(xml);
      const kept = (given: string) => given.replace(FORBIDDEN, "");
      expect(found.text).toBe(kept(text));
      expect(found.attributes.map(({ name: own, message }) => own ?? message)).toEqual([kept(name), kept(name)]);
    }),
  );
});

test("a suite has its counts first, and each outcome has its own element", async () => {
  const cases: JunitCase[] = [
    { name: "a", classname: "c", seconds: null, outcome: { kind: "passed" } },
    { name: "b", classname: "c", seconds: 1, outcome: { kind: "skipped", message: "Not ended: pending." } },
    { name: "d", classname: "c", seconds: 0, outcome: { kind: "error", type: "timeout", message: "m", text: "t" } },
  ];
  expect(await textOf(cases)).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="a suite" tests="1" failures="1" errors="0" skipped="0" time="0.250">
  <testsuite name="a suite" tests="1" failures="1" errors="0" skipped="0" time="0.250" timestamp="2026-11-30T12:00:00">
    <properties>
      <property name="seed" value="7"/>
    </properties>
    <testcase name="a" classname="c"/>
    <testcase name="b" classname="c" time="1.000">
      <skipped message="Not ended: pending."/>
    </testcase>
    <testcase name="d" classname="c" time="0.000">
      <error type="timeout" message="m">t</error>
    </testcase>
  </testsuite>
</testsuites>
`);
});
