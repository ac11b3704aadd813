import { expect, test } from "bun:test";
import { capabilityText, modelOptions } from "./capabilities";

const NONE = {
  ...{ chat: true, tools: false, vision: false, audio_input: false, reasoning: false, json_schema: false },
  ...{ logprobs: false, max_choices: 1, dimensions: false, rerank: false, max_output_tokens: 1, extra_fields: [] },
};

test("a model's capabilities are listed in words", () => {
  expect(capabilityText({ ...NONE, tools: true, vision: true, reasoning: true })).toBe("tools, images, reasoning");
  expect([capabilityText(NONE), capabilityText(undefined)]).toEqual(["", ""]);
});

test("a choice of models shows the default and the capabilities", () => {
  const models = [
    { id: "small", isDefault: true, capabilities: NONE },
    { id: "large", isDefault: false, capabilities: { ...NONE, tools: true, json_schema: true } },
  ];
  expect(modelOptions(models)).toEqual([
    { value: "small", label: "small (default)" },
    { value: "large", label: "large: tools, JSON schema" },
  ]);
});
