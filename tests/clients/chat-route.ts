import type { ChatAnswer, ChatEvent } from "../../gateway/chat/contract";
import {
  CITY_SCHEMA,
  type ClientUnderTest,
  type Connection,
  GET_WEATHER,
  HEADERS,
  LONG_ANSWER,
  SAMPLING,
  WEATHER_SCHEMA,
  weatherIn,
} from "./conversations";

/** An error of the gateway. */
class RequestError extends Error {
  constructor(
    readonly status: number,
    body: string,
  ) {
    super(body);
  }
}

/** `POST /v1/chat` without a library. */
export const chatRouteClient = ({ baseURL, apiKey, model }: Connection): ClientUnderTest => {
  const send = async (body: object, signal?: AbortSignal): Promise<Response> => {
    const headers = { ...HEADERS, authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
    const sampling = { model, temperature: SAMPLING.temperature, max_tokens: SAMPLING.maxTokens };
    const init = { method: "POST", headers, body: JSON.stringify({ ...sampling, ...body }), signal };
    const response = await fetch(`${baseURL}/chat`, init);
    if (!response.ok) throw new RequestError(response.status, await response.text());
    return response;
  };
  const asks = (content: unknown) => ({ messages: [{ role: "user", content }] });
  const answerTo = async (body: object): Promise<ChatAnswer["message"]> =>
    ((await (await send(body)).json()) as ChatAnswer).message;
  const piecesOf = async function* (body: object, signal?: AbortSignal) {
    const { body: stream } = await send({ ...body, stream: true }, signal);
    if (!stream) throw new Error("The response has no body.");
    for await (const event of eventsIn(stream)) if (event.type === "delta") yield event.text;
  };

  return {
    plain: async (prompt) => (await answerTo(asks(prompt))).content,
    stream: async (prompt) => (await Array.fromAsync(piecesOf(asks(prompt)))).join(""),

    async schema(prompt) {
      const json_schema = { name: "city", strict: true, schema: CITY_SCHEMA };
      return JSON.parse(
        (await answerTo({ ...asks(prompt), response_format: { type: "json_schema", json_schema } })).content,
      );
    },

    async tools(prompt) {
      const tools = [{ type: "function", function: { ...GET_WEATHER, parameters: WEATHER_SCHEMA } }];
      const { messages } = asks(prompt);
      const tool_choice = { type: "function", function: { name: GET_WEATHER.name } };
      const asked = await answerTo({ messages, tools, tool_choice });
      const calls = (asked.tool_calls ?? []).map(({ id, function: call }) => ({
        id,
        city: JSON.parse(call.arguments).city,
      }));
      const results = calls.map(({ id, city }) => ({ role: "tool", tool_call_id: id, content: weatherIn(city) }));
      const answer = await answerTo({ messages: [...messages, asked, ...results], tools, tool_choice: "none" });
      return { text: answer.content, cities: calls.map(({ city }) => city) };
    },

    async image(prompt, base64) {
      const url = `data:image/png;base64,${base64}`;
      const text = { type: "text", text: prompt };
      return (await answerTo(asks([text, { type: "image_url", image_url: { url } }]))).content;
    },

    async abort(prompt) {
      const leaving = new AbortController();
      let text = "";
      for await (const piece of piecesOf({ ...asks(prompt), max_tokens: LONG_ANSWER }, leaving.signal)) {
        text += piece;
        if (text !== "") break;
      }
      leaving.abort();
      return text;
    },

    statusOf: (error) => (error instanceof RequestError ? error.status : error),
  };
};

const eventsIn = async function* (stream: ReadableStream<Uint8Array>): AsyncGenerator<ChatEvent> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of stream) {
    const frames = (text + decoder.decode(bytes, { stream: true })).split("\n\n");
    text = frames.pop() ?? "";
    for (const frame of frames) if (frame.startsWith("data: {")) yield JSON.parse(frame.slice("data: ".length));
  }
};
