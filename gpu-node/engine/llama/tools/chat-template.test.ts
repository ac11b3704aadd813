import { describe, expect, test } from "bun:test";
import type { ChatTurn } from "../../messages";
import type { ToolFunction } from "../../tools";
import { createChatTemplate } from "./chat-template";

/* Short templates that write functions, calls and results like those of the model families they are named after. */

const CHAT_ML_TURN = "{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}";
const GENERATE = "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{%- endif %}";

/** Knows no functions. */
const PLAIN = `{%- for m in messages %}${CHAT_ML_TURN}{%- endfor %}${GENERATE}`;

const hermes = (argumentsText: string) => `
{%- if tools %}
{{- '<|im_start|>system\\n' }}
{%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n\\n' }}{%- endif %}
{{- '<tools>' }}
{%- for tool in tools %}{{- '\\n' }}{{- tool | tojson }}{%- endfor %}
{{- '\\n</tools>\\nFor each call, return <tool_call>\\n{"name": <name>, "arguments": <object>}\\n</tool_call><|im_end|>\\n' }}
{%- elif messages[0].role == 'system' %}{{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- for m in messages %}
{%- if m.role == 'user' %}{{- '<|im_start|>user\\n' + m.content + '<|im_end|>\\n' }}
{%- elif m.role == 'assistant' %}
{{- '<|im_start|>assistant' }}
{%- if m.content %}{{- '\\n' + m.content }}{%- endif %}
{%- for call in m.tool_calls or [] %}
{%- set call = call.function %}
{{- '\\n<tool_call>\\n{"name": "' + call.name + '", "arguments": ' }}{{- ${argumentsText} }}{{- '}\\n</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>\\n' }}
{%- elif m.role == 'tool' %}
{%- if loop.first or messages[loop.index0 - 1].role != 'tool' %}{{- '<|im_start|>user' }}{%- endif %}
{{- '\\n<tool_response>\\n' + m.content + '\\n</tool_response>' }}
{%- if loop.last or messages[loop.index0 + 1].role != 'tool' %}{{- '<|im_end|>\\n' }}{%- endif %}
{%- endif %}
{%- endfor %}
${GENERATE}`;
const QWEN = hermes("call.arguments | tojson");
const READS_TEXT = hermes("call.arguments + ''");

const LLAMA = `{{- bos_token }}
{%- for m in messages %}
{%- if m.tool_calls is defined %}
{%- if m.tool_calls | length != 1 %}{{- raise_exception('This model only supports single tool-calls at once!') }}{%- endif %}
{%- set call = m.tool_calls[0].function %}
{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n{"name": "' + call.name + '", "parameters": ' }}
{{- call.arguments | tojson }}{{- '}<|eot_id|>' }}
{%- elif m.role == 'tool' %}
{{- '<|start_header_id|>ipython<|end_header_id|>\\n\\n' + (m.content | tojson) + '<|eot_id|>' }}
{%- elif m.role == 'user' and tools is defined and tools %}
{{- '<|start_header_id|>user<|end_header_id|>\\n\\nRespond in the format {"name": name, "parameters": values}.\\n\\n' }}
{%- for tool in tools %}{{- (tool | tojson(indent=4)) + '\\n\\n' }}{%- endfor %}
{{- m.content + '<|eot_id|>' }}
{%- else %}
{{- '<|start_header_id|>' + m.role + '<|end_header_id|>\\n\\n' + m.content + '<|eot_id|>' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}`;

const MISTRAL = `{{- bos_token }}
{%- for m in messages %}
{%- if m.role == 'user' %}
{%- if tools %}{{- '[AVAILABLE_TOOLS] ' + (tools | tojson) + '[/AVAILABLE_TOOLS]' }}{%- endif %}
{{- '[INST] ' + m.content + '[/INST]' }}
{%- elif m.tool_calls is defined %}
{{- '[TOOL_CALLS] [' }}
{%- for call in m.tool_calls %}
{%- if call.id | length != 9 %}{{- raise_exception('ids must have 9 characters') }}{%- endif %}
{%- set out = call.function | tojson %}
{{- out[:-1] + ', "id": "' + call.id + '"}' }}
{{- ', ' if not loop.last else ']' + eos_token }}
{%- endfor %}
{%- elif m.role == 'assistant' %}{{- ' ' + m.content + eos_token }}
{%- elif m.role == 'tool' %}
{%- if m.tool_call_id | length != 9 %}{{- raise_exception('ids must have 9 characters') }}{%- endif %}
{{- '[TOOL_RESULTS] {"content": ' + m.content + ', "call_id": "' + m.tool_call_id + '"}[/TOOL_RESULTS]' }}
{%- else %}{{- raise_exception('Only user, assistant and tool roles are supported') }}
{%- endif %}
{%- endfor %}`;

/** Writes calls in a format that the parser can't read. */
const OTHER = `{%- if tools %}{{- tools | tojson }}{%- endif %}
{%- for m in messages %}
{%- if m.tool_calls %}{{- 'CALL ' + m.tool_calls[0].function.name }}{%- endif %}
{{- '<' + m.role + '>' + m.content }}
{%- endfor %}`;

const TEXTS = { bos_token: "<s>", eos_token: "</s>" };
const TOOLS: ToolFunction[] = [
  {
    name: "get_weather",
    description: "The weather",
    parameters: { type: "object", properties: { city: { type: "string" } } },
  },
];
const QUESTION: ChatTurn = { role: "user", content: "Rome?" };
const callTurn = (...ids: string[]): ChatTurn => ({
  role: "assistant",
  content: "",
  calls: ids.map((id) => ({ id, name: "get_weather", arguments: '{"city": "Rome"}' })),
});
const ROUND_TRIP: ChatTurn[] = [QUESTION, callTurn("call_1"), { role: "tool", content: "21 °C", callId: "call_1" }];

const rendered = (source: string, turns: ChatTurn[], tools?: ToolFunction[], toolSource?: string) => {
  const template = createChatTemplate(source, toolSource, TEXTS);
  return template.render(template.inputOf(turns, tools));
};

describe("a template that knows functions", () => {
  test.each<[string, string, object]>([
    [
      "Hermes and Qwen",
      QWEN,
      { callFormat: { open: "<tool_call>", member: "arguments" }, readsObjects: true, isParallel: true },
    ],
    [
      "Hermes with text arguments",
      READS_TEXT,
      { callFormat: { open: "<tool_call>" }, readsObjects: false, isParallel: true },
    ],
    [
      "Llama 3",
      LLAMA,
      { callFormat: { open: "<|python_tag|>", member: "parameters" }, readsObjects: true, isParallel: false },
    ],
    [
      "Mistral",
      MISTRAL,
      { callFormat: { open: "[TOOL_CALLS]", member: "arguments" }, readsObjects: true, isParallel: true },
    ],
  ])("%s: is recognised by how it writes calls", (_, source, expected) => {
    expect(createChatTemplate(source, undefined, TEXTS)).toMatchObject(expected);
  });

  test.each<[string, string, string]>([
    [
      "Qwen",
      QWEN,
      '<|im_start|>assistant\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "Rome"}}\n</tool_call><|im_end|>\n' +
        "<|im_start|>user\n<tool_response>\n21 °C\n</tool_response><|im_end|>\n<|im_start|>assistant\n",
    ],
    ["text arguments", READS_TEXT, '{"name": "get_weather", "arguments": {"city": "Rome"}}\n</tool_call>'],
    [
      "Llama 3",
      LLAMA,
      '{"name": "get_weather", "parameters": {"city": "Rome"}}<|eot_id|>' +
        '<|start_header_id|>ipython<|end_header_id|>\n\n"21 °C"<|eot_id|>',
    ],
    ["Mistral", MISTRAL, '[TOOL_CALLS] [{"name": "get_weather", "arguments": {"city": "Rome"}, "id": "'],
  ])("%s: renders functions, calls and results", (_, source, text) => {
    const prompt = rendered(source, ROUND_TRIP, TOOLS);
    expect(prompt).toContain(text);
    expect(prompt).toMatch(/"description": "The weather"/);
    expect(prompt).not.toContain('\\"city\\"');
  });

  test("gets the same short id for a call and its result", () => {
    const [, id] = /"id": "(\w{9})"/.exec(rendered(MISTRAL, ROUND_TRIP, TOOLS)) ?? [];
    expect(rendered(MISTRAL, ROUND_TRIP, TOOLS)).toContain(`"call_id": "${id}"`);
    expect(rendered(MISTRAL, [QUESTION, callTurn("call_2")], TOOLS)).not.toContain(`${id}`);
  });

  test("gets calls and results of earlier answers without functions", () => {
    expect(rendered(QWEN, ROUND_TRIP)).toContain("<tool_response>\n21 °C");
    expect(rendered(QWEN, ROUND_TRIP)).not.toContain("<tools>");
  });

  test("gets arguments that are invalid JSON as text", () => {
    const broken: ChatTurn = {
      role: "assistant",
      content: "",
      calls: [{ id: "1", name: "f", arguments: '{"city": "Ro' }],
    };
    expect(rendered(QWEN, [QUESTION, broken], TOOLS)).toContain('"arguments": "{\\"city\\": \\"Ro"}');
  });

  test("may be a separate one, used only for chats with functions", () => {
    expect(rendered(PLAIN, [QUESTION], TOOLS, QWEN)).toContain("<tools>");
    expect(rendered(PLAIN, ROUND_TRIP, undefined, QWEN)).toContain("<tool_response>");
    expect(rendered(PLAIN, [QUESTION], TOOLS, "{% broken")).toContain("You can call");
    expect(rendered(PLAIN, [QUESTION], undefined, QWEN)).toBe(
      "<|im_start|>user\nRome?<|im_end|>\n<|im_start|>assistant\n",
    );
  });

  test("gets calls as text, in its own format, for a chat that it rejects", () => {
    const prompt = rendered(LLAMA, [QUESTION, callTurn("1", "2")], TOOLS);
    const call = '{"name": "get_weather", "parameters": {"city": "Rome"}}';
    expect(prompt).toContain(`assistant<|end_header_id|>\n\n${call}; ${call}<|eot_id|>`);
    expect(prompt).toContain('write:\n{"name": "the function\'s name", "parameters": {');
    const list = '[{"name": "get_weather", "arguments": {"city": "Rome"}}]';
    const strict = MISTRAL.replace(
      "{{- bos_token }}",
      "{%- if tools and messages|length > 2 %}{{- raise_exception('') }}{%- endif %}",
    );
    expect(rendered(strict, ROUND_TRIP, TOOLS)).toContain(list);
  });
});

test("a template gets the reasoning of earlier answers, and whether the model should reason", () => {
  const qwen3 = `{%- for m in messages %}{%- if m.reasoning_content %}{{- '<think>' + m.reasoning_content + '</think>' }}{%- endif %}
{{- m.content }}{%- endfor %}{%- if enable_thinking is defined and not enable_thinking %}{{- '<think></think>' }}{%- endif %}`;
  const template = createChatTemplate(qwen3);
  const input = template.inputOf([QUESTION, { role: "assistant", content: "Sunny.", reasoning: "Hm." }]);
  expect([template.reasons, createChatTemplate(PLAIN).reasons]).toEqual([true, false]);
  expect(template.render(input)).toBe("Rome?<think>Hm.</think>Sunny.");
  expect(template.render({ ...input, enable_thinking: false })).toEndWith("<think></think>");
});

describe("a template that doesn't know functions", () => {
  test.each([
    ["none", PLAIN],
    ["an unknown format", OTHER],
  ])("%s: gets them as text, in a system message", (_, source) => {
    const template = createChatTemplate(source, undefined, TEXTS);
    expect(template).toMatchObject({ callFormat: { open: "<tool_call>" }, isParallel: true });
    const { messages, tools } = template.inputOf([...ROUND_TRIP, { role: "user", content: "And Oslo?" }], TOOLS);
    expect(tools).toBeUndefined();
    expect(messages.map(({ role }) => role)).toEqual(["system", "user", "assistant", "user"]);
    expect(messages[0]?.content).toContain(JSON.stringify(TOOLS[0]));
    expect(messages.slice(2).map(({ content }) => content)).toEqual([
      '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Rome"}}\n</tool_call>',
      "<tool_response>\n21 °C\n</tool_response>\nAnd Oslo?",
    ]);
  });

  test("gets them after the caller's system message", () => {
    const prompt = rendered(PLAIN, [{ role: "system", content: "Be brief." }, QUESTION], TOOLS);
    expect(prompt).toStartWith("<|im_start|>system\nBe brief.\n\nYou can call");
    expect(prompt.match(/system/g)).toHaveLength(1);
  });

  test("gets them in the first user message if it has no system messages", () => {
    const noSystem = `{%- for m in messages %}{%- if m.role == 'system' %}{{- raise_exception('no system role') }}{%- endif %}${CHAT_ML_TURN}{%- endfor %}`;
    const prompt = rendered(noSystem, [QUESTION], TOOLS);
    expect(prompt).toStartWith("<|im_start|>user\nYou can call");
    expect(prompt).toEndWith("\n\nRome?<|im_end|>\n");
  });

  test("joins the results of several calls", () => {
    const results = ["1", "2"].map((id): ChatTurn => ({ role: "tool", content: `result ${id}`, callId: id }));
    const prompt = rendered(PLAIN, [QUESTION, callTurn("1", "2"), ...results], TOOLS);
    expect(prompt).toContain(
      "<|im_start|>user\n<tool_response>\nresult 1\n</tool_response>\n<tool_response>\nresult 2\n</tool_response><|im_end|>",
    );
  });
});
