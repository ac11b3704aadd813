import type { Server } from "bun";

type Json = Record<string, unknown>;

/** One choice of a scripted answer. */
export interface ScriptedChoice {
  content?: string;
  reasoning?: string;
  calls?: { id: string; name: string; arguments: string }[];
  /** never: the stream stays open after its pieces until the client disconnects. */
  finish_reason: string;
  /** The stop string that ended the answer, as vLLM reports it. */
  stop_reason?: string;
}

/**
 * An OpenAI-compatible server that supports every feature, for tests with a real node in front of it. `answer` returns
 * the choices of each answer, which the server sends whole or in small pieces, as vLLM does. `requests` holds the
 * bodies that it received.
 */
export class ScriptedServer {
  readonly requests: Json[] = [];
  /** Number of never-ending streams whose clients have disconnected. */
  abandoned = 0;
  answer: (body: Json) => ScriptedChoice[] = () => [{ content: "Hello world", finish_reason: "stop" }];
  /** The message of the error with which the server refuses a request; undefined if it answers. */
  refuse: (body: Json) => string | undefined = () => undefined;
  /** How many of the 7 prompt tokens the server reports as cached. */
  cachedTokens = 0;
  /** If set, every answer is this error. */
  fail: { status: number; message: string } | undefined;
  /** If set, answers wait for this promise. */
  pause: Promise<void> | undefined;
  /** Whether streams break off in the middle of the answer. */
  breaksOff = false;
  readonly #server: Server<undefined>;

  constructor(readonly model = "everything") {
    this.#server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      routes: {
        "/v1/models": () =>
          Response.json({ data: [{ id: model, owned_by: "vllm", root: model, max_model_len: 32_768 }] }),
        "/tokenize": { POST: async (request) => this.#tokenize((await request.json()) as Json) },
      },
      fetch: async (request) => {
        const body = (await request.json()) as Json;
        await this.pause;
        return this.#reply(body);
      },
    });
  }

  get url(): string {
    return this.#server.url.href;
  }

  /** The body of the last request. */
  get last(): Json {
    return this.requests.at(-1) ?? {};
  }

  close(): Promise<void> {
    return this.#server.stop(true);
  }

  /** Counts one token per message and ten per tool. */
  #tokenize(body: Json): Response {
    this.requests.push(body);
    const { messages = [], tools = [] } = body as { messages?: Json[]; tools?: Json[] };
    return Response.json({ tokens: Array.from({ length: messages.length + 10 * tools.length }, (_, id) => id) });
  }

  #reply(body: Json): Response {
    this.requests.push(body);
    const message = this.refuse(body);
    if (message !== undefined) return Response.json({ error: { message, code: 400 } }, { status: 400 });
    if (this.fail) return Response.json({ error: { message: this.fail.message } }, { status: this.fail.status });
    const choices = this.answer(body);
    const isChat = "messages" in body;
    const head = { id: `up-${this.requests.length}`, created: 1_795_464_900, model: this.model };
    const reasoning = choices.reduce((sum, choice) => sum + (choice.reasoning?.length ?? 0), 0);
    const completion = choices.reduce((sum, { content = "" }) => sum + content.length, reasoning);
    const prompt = 7 + TOKENS_PER_MEDIUM * (JSON.stringify(body.messages)?.match(MEDIUM)?.length ?? 0);
    const usage = {
      ...{ prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
      prompt_tokens_details: { cached_tokens: this.cachedTokens },
      completion_tokens_details: { reasoning_tokens: reasoning },
    };
    if (body.stream === true) {
      const frames = framesOf(head, choices, isChat, usage);
      if (this.breaksOff) return eventStream(frames.slice(0, 3).join(""));
      const isEndless = choices.some(({ finish_reason }) => finish_reason === "never");
      return isEndless ? this.#openStream(frames.slice(0, -2 - choices.length)) : eventStream(frames.join(""));
    }
    return Response.json({
      ...head,
      object: isChat ? "chat.completion" : "text_completion",
      choices: choices.map((choice, index) => ({ index, ...wholeOf(choice, isChat), logprobs: logprobsOf(body) })),
      usage,
    });
  }

  #openStream(frames: string[]): Response {
    const start = (body: ReadableStreamDefaultController) => body.enqueue(Buffer.from(frames.join("")));
    return eventStream(new ReadableStream({ start, cancel: () => void this.abandoned++ }));
  }
}

const eventStream = (body: string | ReadableStream): Response =>
  new Response(body, { headers: { "content-type": "text/event-stream" } });

/** An image or audio in messages. */
const MEDIUM = /"type":"(?:image_url|input_audio)"/g;
const TOKENS_PER_MEDIUM = 64;

const logprobsOf = ({ logprobs }: Json) =>
  logprobs === true ? { content: [{ token: "Hello", logprob: -0.1, bytes: null, top_logprobs: [] }] } : null;

const endOf = ({ finish_reason, stop_reason }: ScriptedChoice) => ({
  finish_reason,
  ...(stop_reason && { stop_reason }),
});

const wholeOf = (choice: ScriptedChoice, isChat: boolean) => {
  const { content, reasoning, calls } = choice;
  if (!isChat) return { text: content ?? "", ...endOf(choice) };
  const tool_calls = calls?.map(({ id, ...named }) => ({ id, type: "function", function: named }));
  const message = { role: "assistant", content: content ?? null, refusal: null };
  return {
    message: { ...message, ...(reasoning && { reasoning_content: reasoning }), ...(tool_calls && { tool_calls }) },
    ...endOf(choice),
  };
};

/** Splits a text into pieces of up to three characters. */
const split = (text = ""): string[] => text.match(/[\s\S]{1,3}/g) ?? [];

const piecesOf = ({ content, reasoning, calls = [] }: ScriptedChoice): Json[] => [
  { role: "assistant", content: "" },
  ...split(reasoning).map((piece) => ({ reasoning_content: piece })),
  ...split(content).map((piece) => ({ content: piece })),
  ...calls.flatMap(({ id, name, arguments: text }, index) => [
    { tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] },
    ...split(text).map((piece) => ({ tool_calls: [{ index, function: { arguments: piece } }] })),
  ]),
];

/** The events of a stream. Pieces of several choices are interleaved, as by real servers. */
const framesOf = (head: Json, choices: ScriptedChoice[], isChat: boolean, usage: Json): string[] => {
  const object = isChat ? "chat.completion.chunk" : "text_completion";
  const frame = (chunk: object) => `data: ${JSON.stringify({ ...head, object, ...chunk })}\n\n`;
  const queues = choices.map((choice, index) => [
    ...(isChat ? piecesOf(choice).map((delta) => ({ delta })) : split(choice.content).map((text) => ({ text }))).map(
      (piece) => ({ index, ...piece, logprobs: null, finish_reason: null }),
    ),
    { index, ...(isChat ? { delta: {} } : { text: "" }), logprobs: null, ...endOf(choice) },
  ]);
  const frames: string[] = [];
  while (queues.some((queue) => queue.length > 0)) {
    for (const queue of queues) {
      const choice = queue.shift();
      if (choice) frames.push(frame({ choices: [choice] }));
    }
  }
  return [...frames, frame({ choices: [], usage }), "data: [DONE]\n\n"];
};
