import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateText, isStepCount, jsonSchema, Output, streamText, tool } from "ai";
import {
  CITY_SCHEMA,
  type City,
  type ClientUnderTest,
  type Connection,
  GET_WEATHER,
  HEADERS,
  LONG_ANSWER,
  SAMPLING,
  WEATHER_SCHEMA,
  weatherIn,
} from "./conversations";

/** Vercel's AI SDK with its provider for OpenAI-compatible servers. */
export const aiSdkClient = ({ model, ...server }: Connection): ClientUnderTest => {
  const provider = createOpenAICompatible({
    ...server,
    name: "groundwire",
    headers: HEADERS,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
  const { temperature, maxTokens: maxOutputTokens } = SAMPLING;
  const settings = { model: provider(model), temperature, maxOutputTokens, maxRetries: 0 };
  return {
    plain: async (prompt) => (await generateText({ ...settings, prompt })).text,

    async stream(prompt) {
      let text = "";
      for await (const piece of streamText({ ...settings, prompt }).textStream) text += piece;
      return text;
    },

    async schema(prompt) {
      const output = Output.object({ schema: jsonSchema<City>(CITY_SCHEMA) });
      return (await generateText({ ...settings, prompt, output })).output;
    },

    async tools(prompt) {
      const cities: string[] = [];
      const get_weather = tool({
        description: GET_WEATHER.description,
        inputSchema: jsonSchema<{ city: string }>(WEATHER_SCHEMA),
        execute: async ({ city }) => {
          cities.push(city);
          return weatherIn(city);
        },
      });
      const { text } = await generateText({
        ...{ ...settings, prompt, tools: { get_weather } },
        prepareStep: ({ stepNumber }) => ({
          toolChoice: stepNumber === 0 ? { type: "tool", toolName: "get_weather" } : "none",
        }),
        stopWhen: isStepCount(2),
      });
      return { text, cities };
    },

    async image(prompt, base64) {
      const content = [
        { type: "text" as const, text: prompt },
        { type: "file" as const, mediaType: "image/png", data: base64 },
      ];
      return (await generateText({ ...settings, messages: [{ role: "user", content }] })).text;
    },

    async abort(prompt) {
      const leaving = new AbortController();
      const long = { ...settings, maxOutputTokens: LONG_ANSWER };
      const { textStream } = streamText({ ...long, prompt, abortSignal: leaving.signal });
      let text = "";
      for await (const piece of textStream) {
        text += piece;
        leaving.abort();
      }
      return text;
    },

    statusOf: (error) => (APICallError.isInstance(error) ? error.statusCode : error),
  };
};
