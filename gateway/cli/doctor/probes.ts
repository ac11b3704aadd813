/** A white image of 64 × 64 pixels. Some models reject smaller ones. */
const IMAGE =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAEAAAABAAQAAAACCEkxzAAAAEklEQVR42mP4DwUMo4xRBukMAOPT/hAC2mzjAAAAAElFTkSuQmCC";
/** Half a second of silence as WAV: 8-bit samples at 8 kHz. */
const silence = (): string => {
  const samples = 4000;
  const wav = Buffer.alloc(44 + samples, 128);
  wav.write("RIFF", 0);
  wav.writeUInt32LE(36 + samples, 4);
  wav.write("WAVEfmt ", 8);
  wav.writeUInt32LE(16, 16);
  for (const [offset, value] of [
    [20, 1],
    [22, 1],
    [32, 1],
    [34, 8],
  ] as const)
    wav.writeUInt16LE(value, offset);
  for (const offset of [24, 28]) wav.writeUInt32LE(8000, offset);
  wav.write("data", 36);
  wav.writeUInt32LE(samples, 40);
  return wav.toString("base64");
};

interface Choice {
  message?: {
    content?: string | null;
    reasoning?: string | null;
    reasoning_content?: string | null;
    tool_calls?: { function?: { name?: string } }[] | null;
  };
  logprobs?: { content?: unknown[] | null } | null;
  finish_reason?: string | null;
}

interface Answer {
  choices: Choice[];
  promptTokens: number | undefined;
}

/**
 * Sends a short chat with these fields. By default, it asks a question and allows an answer of one token. Throws
 * Refusal.
 */
export type Ask = (fields?: object) => Promise<Answer>;

/** The server answered with an error. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/**
 * What an answer shows about a feature. `can` is undefined if it shows nothing. `reason` says why the feature is
 * missing or why the answer shows nothing.
 */
export type Observation = { can: true } | { can: false | undefined; reason: string };

const CAN: Observation = { can: true };
const cannot = (reason: string): Observation => ({ can: false, reason });
const unknown = (reason: string): Observation => ({ can: undefined, reason });

const QUESTION = "Is snow white?";
const FUNCTION = "get_weather";
const TOOLS = [
  {
    type: "function",
    function: {
      name: FUNCTION,
      description: "The current weather in a city",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  },
];
const SCHEMA = {
  type: "object",
  properties: { is_white: { type: "boolean" } },
  required: ["is_white"],
  additionalProperties: false,
};

const messagesWith = (part: object) => [{ role: "user", content: [{ type: "text", text: QUESTION }, part] }];

/** A server that ignores an image or audio reports the same token count as without it. */
const reads = async (ask: Ask, part: object, what: string): Promise<Observation> => {
  const { promptTokens: without } = await ask();
  const { promptTokens } = await ask({ messages: messagesWith(part) });
  return promptTokens !== undefined && promptTokens === without ? cannot(`the server ignores ${what}`) : CAN;
};

const isExpectedJson = (text: string): boolean => {
  try {
    return typeof (JSON.parse(text) as { is_white?: unknown }).is_white === "boolean";
  } catch {
    return false;
  }
};

/** One probe per capability. Together they send ten requests and generate at most 520 tokens. */
export const PROBES = {
  async tools(ask) {
    const messages = [{ role: "user", content: "What is the weather in Rome?" }];
    // Without a tool-call parser, vLLM refuses only `auto`.
    await ask({ messages, tools: TOOLS, tool_choice: "auto" });
    const { choices } = await ask({ messages, tools: TOOLS, tool_choice: "required", max_tokens: 128 });
    const [choice] = choices;
    if (choice?.message?.tool_calls?.[0]?.function?.name === FUNCTION) return CAN;
    return choice?.finish_reason === "length"
      ? unknown("the model didn't finish the call within 128 tokens")
      : cannot("the answer has no call, although tool_choice was required");
  },

  async json_schema(ask) {
    const response_format = { type: "json_schema", json_schema: { name: "answer", strict: true, schema: SCHEMA } };
    const [choice] = (await ask({ response_format, max_tokens: 128 })).choices;
    if (isExpectedJson(choice?.message?.content ?? "")) return CAN;
    return choice?.finish_reason === "length"
      ? unknown("the model didn't finish its answer within 128 tokens")
      : cannot("the answer doesn't match the schema");
  },

  async logprobs(ask) {
    const [choice] = (await ask({ logprobs: true, top_logprobs: 1 })).choices;
    return choice?.logprobs?.content?.length ? CAN : cannot("the answer has no log probabilities");
  },

  async choices(ask) {
    // vLLM refuses more than one choice at temperature 0.
    const { length } = (await ask({ n: 2, temperature: 1 })).choices;
    return length === 2
      ? CAN
      : cannot(`with n: 2, the server returned ${length === 1 ? "1 answer" : `${length} answers`}`);
  },

  vision: (ask) => reads(ask, { type: "image_url", image_url: { url: IMAGE } }, "images"),

  audio_input: (ask) => reads(ask, { type: "input_audio", input_audio: { data: silence(), format: "wav" } }, "audio"),

  async reasoning(ask) {
    const [choice] = (await ask({ reasoning_effort: "low", max_tokens: 256 })).choices;
    const { content, reasoning, reasoning_content } = choice?.message ?? {};
    if (reasoning || reasoning_content) return CAN;
    return content?.includes("<think>")
      ? cannot("its reasoning is part of the answer's text; the server needs a reasoning parser")
      : cannot("the answer has no reasoning");
  },
} satisfies Record<string, (ask: Ask) => Promise<Observation>>;

export const chatWith =
  (base: string, key: string | undefined, model: string, timeoutMs: number): Ask =>
  async (fields = {}) => {
    const chat = { model, messages: [{ role: "user", content: QUESTION }], max_tokens: 1, temperature: 0, ...fields };
    const response = await fetch(`${base}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) },
      body: JSON.stringify(chat),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const body = (await response.json().catch(() => undefined)) as
      | { choices?: Choice[]; usage?: { prompt_tokens?: number }; message?: string; error?: { message?: string } }
      | undefined;
    if (!response.ok) {
      throw new Refusal(response.status, body?.error?.message ?? body?.message ?? `status ${response.status}`);
    }
    return { choices: body?.choices ?? [], promptTokens: body?.usage?.prompt_tokens };
  };
