import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { z } from "zod";
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

/** LangChain's chat model for OpenAI. */
export const langChainClient = ({ baseURL, apiKey, model }: Connection): ClientUnderTest => {
  const configuration = { baseURL, defaultHeaders: HEADERS };
  const settings = { ...SAMPLING, apiKey, model, maxRetries: 0, configuration };
  const chat = new ChatOpenAI(settings);
  return {
    plain: async (prompt) => (await chat.invoke(prompt)).text,

    async stream(prompt) {
      let text = "";
      for await (const chunk of await chat.stream(prompt)) text += chunk.text;
      return text;
    },

    schema: (prompt) =>
      chat.withStructuredOutput<City>(CITY_SCHEMA, { name: "city", method: "jsonSchema" }).invoke(prompt),

    async tools(prompt) {
      const cities: string[] = [];
      const getWeather = tool(
        ({ city }) => {
          cities.push(city);
          return weatherIn(city);
        },
        { ...GET_WEATHER, schema: z.object({ city: z.string().max(WEATHER_SCHEMA.properties.city.maxLength) }) },
      );
      const bind = (choice: string) => chat.bindTools([getWeather], { tool_choice: choice });
      const question = { role: "user", content: prompt };
      const asked = await bind(GET_WEATHER.name).invoke([question]);
      const calls = (asked.tool_calls ?? []).map((call) => ({ ...call, type: "tool_call" as const }));
      const results = await Promise.all(calls.map((call) => getWeather.invoke(call)));
      return { text: (await bind("none").invoke([question, asked, ...results])).text, cities };
    },

    async image(prompt, base64) {
      const content = [
        { type: "text", text: prompt },
        { type: "image_url", image_url: { url: `data:image/png;base64,${base64}` } },
      ];
      return (await chat.invoke([{ role: "user", content }])).text;
    },

    async abort(prompt) {
      const leaving = new AbortController();
      const long = new ChatOpenAI({ ...settings, maxTokens: LONG_ANSWER });
      let text = "";
      try {
        for await (const chunk of await long.stream(prompt, { signal: leaving.signal })) {
          text += chunk.text;
          if (text !== "") leaving.abort();
        }
      } catch (error) {
        if (!leaving.signal.aborted) throw error;
      }
      return text;
    },

    statusOf: (error) => (error instanceof Error && "status" in error ? error.status : error),
  };
};
