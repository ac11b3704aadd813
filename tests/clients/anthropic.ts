import Anthropic from "@anthropic-ai/sdk";
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

/** Anthropic's own SDK on `/v1/messages`. */
export const anthropicClient = ({ baseURL, apiKey, model }: Connection): ClientUnderTest => {
  const origin = baseURL.replace(/\/v1$/, "");
  const { messages } = new Anthropic({ baseURL: origin, apiKey, maxRetries: 0, defaultHeaders: HEADERS });
  // The SDK's newest versions don't declare `temperature`.
  const settings = { model, max_tokens: SAMPLING.maxTokens, ...{ temperature: SAMPLING.temperature } };
  const ask = (content: Anthropic.MessageParam["content"]) => ({
    ...settings,
    messages: [{ role: "user" as const, content }],
  });
  const textOf = async (params: Anthropic.MessageCreateParamsNonStreaming): Promise<string> =>
    (await messages.create(params)).content.map((block) => (block.type === "text" ? block.text : "")).join("");
  return {
    plain: (prompt) => textOf(ask(prompt)),
    stream: (prompt) => messages.stream(ask(prompt)).finalText(),

    async schema(prompt) {
      const format = { type: "json_schema" as const, schema: CITY_SCHEMA };
      return JSON.parse(await textOf({ ...ask(prompt), output_config: { format } }));
    },

    async tools(prompt) {
      const question = ask(prompt);
      const tools = [{ ...GET_WEATHER, input_schema: WEATHER_SCHEMA }];
      const { content } = await messages.create({
        ...question,
        tools,
        tool_choice: { type: "tool", name: GET_WEATHER.name },
      });
      const calls = content.filter((block) => block.type === "tool_use");
      const cities = calls.map(({ input }) => (input as { city: string }).city);
      const results = calls.map(({ id }, index) => ({
        ...{ type: "tool_result" as const, tool_use_id: id },
        content: weatherIn(cities[index] ?? ""),
      }));
      const conversation: Anthropic.MessageParam[] = [
        ...question.messages,
        { role: "assistant", content },
        { role: "user", content: results },
      ];
      const params = { ...question, messages: conversation, tools, tool_choice: { type: "none" as const } };
      return { text: await textOf(params), cities };
    },

    image: (prompt, data) =>
      textOf(
        ask([
          { type: "text", text: prompt },
          { type: "image", source: { type: "base64", media_type: "image/png", data } },
        ]),
      ),

    async abort(prompt) {
      const stream = await messages.create({ ...ask(prompt), max_tokens: LONG_ANSWER, stream: true });
      let text = "";
      for await (const event of stream) {
        if (event.type === "content_block_delta" && event.delta.type === "text_delta") text += event.delta.text;
        if (text !== "") stream.controller.abort();
      }
      return text;
    },

    statusOf: (error) => (error instanceof Anthropic.APIError ? error.status : error),
  };
};
