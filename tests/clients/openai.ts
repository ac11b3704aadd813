import OpenAI from "openai";
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

/** OpenAI's own SDK on `/v1/chat/completions`. */
export const openAiClient = ({ model, ...server }: Connection): ClientUnderTest => {
  const client = new OpenAI({ ...server, maxRetries: 0, defaultHeaders: HEADERS });
  const { create, parse } = bound(client);
  const settings = { model, temperature: SAMPLING.temperature, max_tokens: SAMPLING.maxTokens };
  const ask = (content: string) => ({ ...settings, messages: [{ role: "user" as const, content }] });
  return {
    plain: async (prompt) => (await create(ask(prompt))).choices[0]?.message.content ?? "",

    async stream(prompt) {
      let text = "";
      for await (const chunk of await create({ ...ask(prompt), stream: true })) {
        text += chunk.choices[0]?.delta.content ?? "";
      }
      return text;
    },

    async schema(prompt) {
      const json_schema = { name: "city", strict: true, schema: CITY_SCHEMA };
      const answer = await parse({ ...ask(prompt), response_format: { type: "json_schema", json_schema } });
      return JSON.parse(answer.choices[0]?.message.content ?? "");
    },

    async tools(prompt) {
      const tools = [{ type: "function" as const, function: { ...GET_WEATHER, parameters: WEATHER_SCHEMA } }];
      const tool_choice = { type: "function" as const, function: { name: GET_WEATHER.name } };
      const asked = await create({ ...ask(prompt), tools, tool_choice });
      const asking = asked.choices.map(({ message }) => message);
      const calls = asking.flatMap(({ tool_calls = [] }) => tool_calls).filter((call) => call.type === "function");
      const cities = calls.map((call): string => JSON.parse(call.function.arguments).city);
      const results = calls.map(({ id }, index) => ({
        ...{ role: "tool" as const, tool_call_id: id },
        content: weatherIn(cities[index] ?? ""),
      }));
      const messages = [...ask(prompt).messages, ...asking, ...results];
      const answer = await create({ ...settings, messages, tools, tool_choice: "none" });
      return { text: answer.choices[0]?.message.content ?? "", cities };
    },

    async image(prompt, base64) {
      const url = `data:image/png;base64,${base64}`;
      const content = [
        { type: "text" as const, text: prompt },
        { type: "image_url" as const, image_url: { url } },
      ];
      return (await create({ ...settings, messages: [{ role: "user", content }] })).choices[0]?.message.content ?? "";
    },

    async abort(prompt) {
      const stream = await create({ ...ask(prompt), max_tokens: LONG_ANSWER, stream: true });
      let text = "";
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? "";
        if (text !== "") stream.controller.abort();
      }
      return text;
    },

    statusOf: (error) => (error instanceof OpenAI.APIError ? error.status : error),
  };
};

const bound = ({ chat: { completions } }: OpenAI) => ({
  create: completions.create.bind(completions),
  parse: completions.parse.bind(completions),
});
