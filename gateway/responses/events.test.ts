import { expect, test } from "bun:test";
import { Value } from "@sinclair/typebox/value";
import fc from "fast-check";
import type { ToolCallDelta } from "../chat/message";
import { ResponseEvent } from "./contract";
import { ResponseEvents } from "./events";
import { begunResponse, outputOf } from "./response";

const ID = `resp_${"0".repeat(32)}`;
const facts = { id: ID, createdAt: new Date(0), model: "small", sampling: null, isStored: false };
const begun = begunResponse({ input: "Hi" }, facts);

type Delta = Parameters<ResponseEvents["add"]>[0];

/** The events of an answer, and its output. */
const answer = (deltas: readonly Delta[], isWhole = true) => {
  const writer = new ResponseEvents(begun);
  const events = [...writer.start(), ...deltas.flatMap((delta) => [...writer.add(delta)]), ...writer.close(isWhole)];
  return { events, output: writer.output(isWhole) };
};

/** The text in pieces of this length. */
const split = (text: string, length: number): string[] =>
  Array.from({ length: Math.ceil(text.length / length) }, (_, n) => text.slice(n * length, (n + 1) * length));

const call = fc.record({
  id: fc.stringMatching(/^c[0-9]{3}$/),
  name: fc.constantFrom("f", "g"),
  arguments: fc.string(),
});
const message = fc.record({ reasoning: fc.string(), content: fc.string(), calls: fc.array(call, { maxLength: 3 }) });

test("an answer in any pieces has the same items as the whole answer", () => {
  fc.assert(
    fc.property(
      message,
      fc.integer({ min: 1, max: 5 }),
      fc.boolean(),
      ({ reasoning, content, calls }, length, isWhole) => {
        const pieces = calls.map(({ id, name, arguments: json }, index): ToolCallDelta[] => [
          { index, id, type: "function", function: { name, arguments: "" } },
          ...split(json, length).map((piece) => ({ index, function: { arguments: piece } })),
        ]);
        // After parallel calls have started, their pieces alternate.
        const begins = pieces.flatMap(([first]) => first ?? []);
        const rest = pieces.map(([, ...others]) => others);
        const mixed = Array.from({ length: 200 }, (_, n) => rest.flatMap((one) => one[n] ?? [])).flat();
        const { events, output } = answer(
          [
            ...split(reasoning, length).map((piece) => ({ text: "", reasoning: piece })),
            ...split(content, length).map((text) => ({ text })),
            ...[...begins, ...mixed].map((piece) => ({ text: "", tool_calls: [piece] })),
          ],
          isWhole,
        );
        const tool_calls = calls.map(({ id, ...named }) => ({ id, type: "function" as const, function: named }));
        expect(output).toEqual(outputOf({ role: "assistant", content, reasoning, tool_calls }, ID, isWhole));
        expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index));
        expect(events.every((event) => Value.Check(ResponseEvent, event))).toBe(true);
        const done = events.flatMap((event) => (event.type === "response.output_item.done" ? [event.item] : []));
        expect(done).toEqual(output);
      },
    ),
  );
});

test("a call without an id gets one, and calls without an index are distinguished by their ids", () => {
  const function_ = (name: string) => ({ name, arguments: "{}" });
  const { output } = answer([{ text: "", tool_calls: [{ function: function_("f") }] }]);
  expect(output).toMatchObject([{ type: "function_call", call_id: `call_${output[0]?.id}` }]);
  const two = answer([
    { text: "", tool_calls: [{ id: "a", function: function_("f") }] },
    { text: "", tool_calls: [{ id: "b", function: function_("g") }] },
  ]);
  expect(two.output).toMatchObject([{ call_id: "a" }, { call_id: "b" }]);
});

test("reasoning that continues after text is a new item", () => {
  const { output } = answer([
    { text: "", reasoning: "Hm." },
    { text: "Yes" },
    { text: "", reasoning: "No." },
    { text: "!" },
  ]);
  expect(output.map(({ type }) => type)).toEqual(["reasoning", "message", "reasoning", "message"]);
});
