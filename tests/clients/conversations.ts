import type { ScriptedChoice } from "../scripted-server";

/* The conversations that every client has with each chat route. Each client is an adapter in this folder. */

/** The address, key and model that a client uses. */
export interface Connection {
  /** The gateway's address, including `/v1`. */
  baseURL: string;
  apiKey: string;
  model: string;
}

export interface City {
  city: string;
  country: string;
}

/** A client library. Every method throws the library's own error if the gateway refuses the request. */
export interface ClientUnderTest {
  plain(prompt: string): Promise<string>;
  stream(prompt: string): Promise<string>;
  /** Asks for an object of `CITY_SCHEMA`. */
  schema(prompt: string): Promise<City>;
  /**
   * Makes the model call `get_weather`, answers it with `weatherIn`, then forbids calls, so that every model answers.
   * Returns the cities and the final answer.
   */
  tools(prompt: string): Promise<{ cities: string[]; text: string }>;
  /** Asks about an image, a PNG file in base64. */
  image(prompt: string, base64: string): Promise<string>;
  /** Starts a stream of up to `LONG_ANSWER` tokens and leaves after its first text, which it returns. */
  abort(prompt: string): Promise<string>;
  /** The HTTP status of an error that another method threw. */
  statusOf(error: unknown): unknown;
}

/**
 * The same settings for all clients, so that answers can be compared. They bypass the cache, so that each answer is
 * generated.
 */
export const SAMPLING = { temperature: 0, maxTokens: 48 };
export const LONG_ANSWER = 2000;
export const HEADERS = { "cache-control": "no-cache" };

export const CITY_SCHEMA = {
  type: "object" as const,
  properties: { city: { type: "string" as const }, country: { type: "string" as const } },
  required: ["city", "country"],
  additionalProperties: false,
};
export const GET_WEATHER = { name: "get_weather", description: "The current weather in a city" };
/** Parameters of `get_weather`. The call of any model fits in the longest answer. */
export const WEATHER_SCHEMA = {
  type: "object" as const,
  properties: { city: { type: "string" as const, maxLength: 20 } },
  required: ["city"],
};
export const weatherIn = (city: string): string => `21 °C in ${city}`;

/** A PNG file of one pixel. */
export const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** The scripted server's answers in each conversation. */
export const SCRIPT = {
  text: "Hello world",
  city: { city: "Rome", country: "Italy" },
  image: "A single pixel.",
  weather: "The weather: 21 °C in Rome",
  /** The server answers a prompt with this word with a stream that never ends. */
  endless: "endlessly",
} as const;

interface ChatBody {
  messages: { role: string; content: unknown }[];
  tools?: unknown[];
  response_format?: unknown;
}

/** Chooses the scripted server's answer to a request. */
export const answerByScript = (body: object): ScriptedChoice[] => {
  const { messages, tools, response_format } = body as ChatBody;
  const last = messages.at(-1);
  const said = JSON.stringify(last?.content);
  const say = (content: string) => [{ content, finish_reason: "stop" }];
  if (last?.role === "tool") return say(`The weather: ${typeof last.content === "string" ? last.content : said}`);
  if (tools?.length) {
    const call = { id: "call_1", name: GET_WEATHER.name, arguments: JSON.stringify({ city: SCRIPT.city.city }) };
    return [{ calls: [call], finish_reason: "tool_calls" }];
  }
  if (response_format) return say(JSON.stringify(SCRIPT.city));
  if (said.includes("image_url")) return say(SCRIPT.image);
  return said.includes(SCRIPT.endless) ? [{ content: SCRIPT.text, finish_reason: "never" }] : say(SCRIPT.text);
};
