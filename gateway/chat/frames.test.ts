import { expect, test } from "bun:test";
import fc from "fast-check";
import { content, encoder, frame, head, usage } from "../../tests/chat-frames";
import { toCompletion, toFrames } from "./frames";
import { type Completion, toStored } from "./wire";

const delta = (piece: object, index = 0, finish_reason: string | null = null) =>
  frame({ choices: [{ index, delta: piece, finish_reason }] });
const join = (...frames: string[]) => toCompletion([encoder.encode(frames.join(""))]);

test("the frames of a stream are joined into the complete answer", () => {
  const frames = [
    content("Hel"),
    content("lo") + content("", "stop"),
    `${frame({ choices: [], usage })}data: [DONE]\n\n`,
  ];
  const completion = toCompletion(frames.map((text) => encoder.encode(text)));
  expect(completion.choices[0]?.message).toEqual({ role: "assistant", content: "Hello", refusal: null });
  expect([completion.choices[0]?.finish_reason, completion.usage]).toEqual(["stop", usage]);
});

test("a stored answer replayed as a stream gives the same answer", () => {
  const stored = toCompletion([encoder.encode(content("Hello", "length") + frame({ choices: [], usage }))]);
  expect(toCompletion([encoder.encode(toFrames(stored, true))])).toEqual(stored);
  expect(toFrames(stored, false)).not.toContain("prompt_tokens");
});

test("the logprobs of all chunks are joined in order", () => {
  const piece = (token: string) =>
    frame({
      choices: [{ index: 0, delta: { content: token }, logprobs: { content: [{ token }] }, finish_reason: null }],
    });
  const completion = toCompletion([encoder.encode(piece("a") + piece("b"))]);
  expect(completion.choices[0]?.logprobs).toEqual({ content: [{ token: "a" }, { token: "b" }] });
});

test("the stop string that ended a choice keeps the name its server uses", () => {
  const end = (fields: object) => frame({ choices: [{ index: 0, delta: {}, finish_reason: "stop", ...fields }] });
  expect(join(content("a"), end({ stop_reason: "END" })).choices[0]).toMatchObject({ stop_reason: "END" });
  expect(join(content("a"), end({ matched_stop: "END" })).choices[0]).toMatchObject({ matched_stop: "END" });
  expect(join(content("a"), end({ matched_stop: 151645 })).choices[0]).not.toHaveProperty("matched_stop");
});

test("the pieces of function calls are joined by their index", () => {
  const { choices } = join(
    delta({ role: "assistant", content: null }),
    delta({ tool_calls: [{ index: 0, id: "call_a", type: "function", function: { name: "weather", arguments: "" } }] }),
    delta({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] }),
    delta({ tool_calls: [{ index: 1, id: "call_b", type: "function", function: { name: "time", arguments: "{}" } }] }),
    delta({ tool_calls: [{ index: 0, id: null, function: { name: null, arguments: '"Rome"}' } }] }),
    delta({}, 0, "tool_calls"),
  );
  expect(choices).toEqual([
    {
      index: 0,
      message: {
        ...{ role: "assistant", content: null, refusal: null },
        tool_calls: [
          { id: "call_a", type: "function", function: { name: "weather", arguments: '{"city":"Rome"}' } },
          { id: "call_b", type: "function", function: { name: "time", arguments: "{}" } },
        ],
      },
      logprobs: null,
      finish_reason: "tool_calls",
    },
  ]);
});

test("calls without an index are separate calls", () => {
  const call = (id: string) => ({ id, type: "function", function: { name: "f", arguments: "{}" } });
  const { choices } = join(delta({ tool_calls: [call("a")] }), delta({ tool_calls: [call("b")] }, 0, "tool_calls"));
  expect(choices[0]?.message?.tool_calls?.map(({ id }) => id)).toEqual(["a", "b"]);
});

test("a stored call that is replayed as a stream has one index, even if the server sent another one", () => {
  const call = (id: string) => ({ id, index: -1, type: "function", function: { name: "f", arguments: "{}" } });
  const stored = {
    ...head,
    object: "chat.completion",
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: null, tool_calls: ["a", "b"].map(call) },
        finish_reason: "tool_calls",
      },
    ],
  } as Completion;
  const { choices } = toCompletion([encoder.encode(toFrames(stored, false))]);
  expect(choices[0]?.message?.tool_calls).toEqual(
    ["a", "b"].map((id) => ({ id, type: "function", function: { name: "f", arguments: "{}" } })),
  );
});

test("the reasoning is joined separately from the content, under the server's own names", () => {
  const { choices } = join(
    delta({ reasoning_content: "Let me ", reasoning: "Let me " }),
    delta({ reasoning_content: "think.", reasoning: "think." }),
    delta({ content: "42" }, 0, "stop"),
  );
  expect(choices[0]?.message).toEqual({
    ...{ role: "assistant", content: "42", refusal: null },
    ...{ reasoning: "Let me think.", reasoning_content: "Let me think." },
  });
});

test("the pieces of several choices are joined by index, and the choices are sorted by it", () => {
  const { choices } = join(
    delta({ content: "b" }, 1),
    delta({ content: "a" }, 0),
    delta({ content: "B" }, 1, "stop"),
    delta({ content: "A" }, 0, "length"),
  );
  expect(choices.map(({ index, message, finish_reason }) => [index, message?.content, finish_reason])).toEqual([
    [0, "aA", "length"],
    [1, "bB", "stop"],
  ]);
});

test("an answer is stored if it has text or calls, every choice has ended, and its usage is known", () => {
  const call = { tool_calls: [{ index: 0, id: "a", type: "function", function: { name: "f", arguments: "{}" } }] };
  const end = frame({ choices: [], usage });
  expect(toStored(join(delta(call, 0, "tool_calls"), end))).toContain('"name":"f"');
  expect(toStored(join(delta({ content: "a" }, 0, "stop"), delta({ content: "b" }, 1), end))).toBeUndefined();
  expect(toStored(join(delta({ reasoning: "Hm" }, 0, "length"), end))).toBeUndefined();
  expect(toStored(join(delta(call, 0, "tool_calls")))).toBeUndefined();
});

test("every stored answer replayed as a stream gives the same answer", () => {
  const call = fc.record({ id: fc.string(), name: fc.string(), arguments: fc.string() });
  const choice = fc.record({
    text: fc.string(),
    reasoning: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
    calls: fc.option(fc.array(call, { minLength: 1, maxLength: 3 }), { nil: undefined }),
    finish_reason: fc.constantFrom("stop" as const, "length" as const, "tool_calls" as const),
  });
  fc.assert(
    fc.property(fc.array(choice, { minLength: 1, maxLength: 3 }), (given) => {
      const completion: Completion = {
        ...{ id: "chatcmpl-1", object: "chat.completion", created: 1, model: "m", usage, timings: undefined },
        choices: given.map(({ text, reasoning, calls, finish_reason }, index) => ({
          index,
          message: {
            role: "assistant",
            content: text === "" && calls ? null : text,
            refusal: null,
            ...(reasoning !== undefined && { reasoning }),
            ...(calls && {
              tool_calls: calls.map(({ id, ...named }) => ({ id, type: "function" as const, function: named })),
            }),
          },
          logprobs: null,
          finish_reason,
        })),
      };
      expect(toCompletion([encoder.encode(toFrames(completion, true))])).toEqual(completion);
    }),
  );
});
