import OpenAI from "openai";
import type { FunctionTool, ResponseInputItem } from "openai/resources/responses/responses";
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

/** OpenAI's own SDK on `/v1/responses`. */
export const openAiResponsesClient = ({ model, ...server }: Connection): ClientUnderTest => {
  const { responses } = new OpenAI({ ...server, maxRetries: 0, defaultHeaders: HEADERS });
  const settings = { model, temperature: SAMPLING.temperature, max_output_tokens: SAMPLING.maxTokens };
  const ask = (input: string | ResponseInputItem[]) => ({ ...settings, input });
  return {
    plain: async (prompt) => (await responses.create(ask(prompt))).output_text,

    async stream(prompt) {
      let text = "";
      for await (const event of await responses.create({ ...ask(prompt), stream: true })) {
        if (event.type === "response.output_text.delta") text += event.delta;
      }
      return text;
    },

    async schema(prompt) {
      const format = { type: "json_schema" as const, name: "city", strict: true, schema: CITY_SCHEMA };
      return JSON.parse((await responses.create({ ...ask(prompt), text: { format } })).output_text);
    },

    async tools(prompt) {
      const weather: FunctionTool = { type: "function", ...GET_WEATHER, parameters: WEATHER_SCHEMA, strict: false };
      const tool_choice = { type: "function" as const, name: GET_WEATHER.name };
      const asked = await responses.create({ ...ask(prompt), tools: [weather], tool_choice });
      const calls = asked.output.filter((item) => item.type === "function_call");
      const cities = calls.map((call): string => JSON.parse(call.arguments).city);
      const results = calls.map(({ call_id }, index) => ({
        ...{ type: "function_call_output" as const, call_id },
        output: weatherIn(cities[index] ?? ""),
      }));
      const next = { ...ask(results), previous_response_id: asked.id, tools: [weather], tool_choice: "none" as const };
      return { text: (await responses.create(next)).output_text, cities };
    },

    async image(prompt, base64) {
      const content = [
        { type: "input_text" as const, text: prompt },
        { type: "input_image" as const, image_url: `data:image/png;base64,${base64}`, detail: "auto" as const },
      ];
      return (await responses.create(ask([{ role: "user", content }]))).output_text;
    },

    async abort(prompt) {
      const stream = await responses.create({ ...ask(prompt), max_output_tokens: LONG_ANSWER, stream: true });
      let text = "";
      for await (const event of stream) {
        if (event.type === "response.output_text.delta") text += event.delta;
        if (text !== "") stream.controller.abort();
      }
      return text;
    },

    statusOf: (error) => (error instanceof OpenAI.APIError ? error.status : error),
  };
};
