import type { Config } from "../../lib/config";
import { ScriptedServer } from "../scripted-server";
import { until } from "../until";
import { type Stack, startStack } from "./stack";

type Json = Record<string, unknown>;

/** The model of the scripted server. */
export const MODEL = "everything";
export const user = { role: "user", content: "What is the weather in Rome?" };
export const text = { type: "text", text: "What is this?" };
export const image = { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } };
export const audio = { type: "input_audio", input_audio: { data: "UklGRg==", format: "wav" } };
export const tool = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The current weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};
const call = { id: "call_1", type: "function", function: { name: "get_weather", arguments: '{"city":"Rome"}' } };
/** A question, the model's function call and the call's result. */
export const ROUND_TRIP = [
  user,
  { role: "assistant", tool_calls: [call] },
  { role: "tool", tool_call_id: "call_1", content: "21 °C" },
];

/** An object with this many levels. */
export const deep = (levels: number): object => (levels === 1 ? {} : { a: deep(levels - 1) });

export const post = async (stack: Stack, path: string, body: object, headers?: Record<string, string>) => {
  const response = await stack.call("POST", path, { body, headers });
  return { status: response.status, body: JSON.parse(await response.text()) };
};

let questions = 0;
/** A cacheable request that has not been sent before. */
export const newRequest = (fields: object) => ({
  ...{
    temperature: 0,
    stream_options: { include_usage: true },
    messages: [{ role: "user", content: `${++questions}?` }],
  },
  ...fields,
});

const knowsNode = (stack: Stack): Promise<unknown> =>
  until("the gateway knows its node", async () => (await stack.call("GET", "/readyz")).status === 200);

/** A gateway whose node has the synthetic engine, which supports none of these features. */
export const startUnableStack = async (): Promise<Stack> => {
  const stack = await startStack({}, { hasWorker: false });
  await knowsNode(stack);
  return stack;
};

interface CapableStack {
  gateway?: Partial<Config["gateway"]>;
  /** For batch runs. */
  hasWorker?: boolean;
  embedder?: "off" | "synthetic";
}

/** A gateway and a real node in front of a server that supports every feature. */
export const startCapableStack = async ({ gateway = {}, hasWorker = false, embedder = "off" }: CapableStack = {}) => {
  const server = new ScriptedServer(MODEL);
  const stack = await startStack(
    {},
    {
      gateway,
      node: {
        ...{ engine: "openai", engineUrl: server.url, embedder },
        engineCapabilities: ["reasoning", "vision", "audio_input"],
      },
      hasWorker,
    },
  );
  await knowsNode(stack);
  return {
    stack,
    server,
    chat: (body: Json | object) => post(stack, "/v1/chat/completions", { messages: [user], ...body }),
    close: async () => {
      await stack.close();
      await server.close();
    },
  };
};
