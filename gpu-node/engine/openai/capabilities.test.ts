import { describe, expect, test } from "bun:test";
import { NEVER_FORWARDED } from "../../../lib/forwarded-fields";
import { loadConfig } from "../../../lib/settings";
import { capabilitiesOf } from "./capabilities";

const settings = (env: Record<string, string> = {}) => loadConfig(env, "/").node;
const of = (owner: unknown, env?: Record<string, string>) => capabilitiesOf(settings(env), owner, 2048);

describe("the capabilities of a server behind the node", () => {
  test.each([
    ["vllm", { tools: true, max_choices: 8 }, "structured_outputs"],
    ["sglang", { tools: true, max_choices: 8 }, "ebnf"],
    ["llamacpp", { tools: true, max_choices: 1 }, "grammar"],
  ])("are detected from owned_by %s in its list of models", (owner, expected, field) => {
    const { extra_fields, ...others } = of(owner);
    expect(others).toMatchObject({
      ...expected,
      chat: true,
      json_schema: true,
      logprobs: true,
      max_output_tokens: 2048,
    });
    expect(others).toMatchObject({ vision: false, audio_input: false, reasoning: false, dimensions: false });
    expect(extra_fields).toContain("chat_template_kwargs");
    expect(extra_fields).toContain(field);
  });

  test.each<unknown>([undefined, null, 7, "someone", "constructor"])(
    "are those of any OpenAI-compatible server if owned_by is unknown (%p)",
    (owner) => {
      const expected = { tools: false, json_schema: true, logprobs: true, max_choices: 1, extra_fields: [] };
      expect(of(owner)).toMatchObject(expected);
    },
  );

  test("come from GROUNDWIRE_NODE_ENGINE_SERVER if it is set, whatever owned_by says", () => {
    expect(of("someone", { GROUNDWIRE_NODE_ENGINE_SERVER: "vllm" })).toEqual(of("vllm"));
    expect(of("vllm", { GROUNDWIRE_NODE_ENGINE_SERVER: "other" })).toEqual(of("someone"));
  });

  test("can be switched on and off by settings", () => {
    const changed = of("vllm", {
      GROUNDWIRE_NODE_ENGINE_CAPABILITIES: "vision, reasoning, -tools",
      GROUNDWIRE_NODE_ENGINE_FIELDS: "guided_regex, -ignore_eos",
      GROUNDWIRE_NODE_ENGINE_MAX_CHOICES: "3",
    });
    expect(changed).toMatchObject({ vision: true, reasoning: true, tools: false, json_schema: true, max_choices: 3 });
    const fields = new Set(of("vllm").extra_fields);
    fields.delete("ignore_eos");
    expect(changed.extra_fields).toEqual([...fields, "guided_regex"].sort());
  });
});

test.each([...NEVER_FORWARDED])("the settings don't accept %s as a field to pass on", (name) => {
  const read = () => settings({ GROUNDWIRE_NODE_ENGINE_FIELDS: `guided_regex,${name}` });
  expect(read).toThrow("GROUNDWIRE_NODE_ENGINE_FIELDS");
});

test.each(["rerank", "+vision", "vision tools"])("the settings don't accept the capability %p", (name) => {
  expect(() => settings({ GROUNDWIRE_NODE_ENGINE_CAPABILITIES: name })).toThrow("GROUNDWIRE_NODE_ENGINE_CAPABILITIES");
});
