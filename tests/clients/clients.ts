import { aiSdkClient } from "./ai-sdk";
import { anthropicClient } from "./anthropic";
import { chatRouteClient } from "./chat-route";
import type { ClientUnderTest, Connection } from "./conversations";
import { langChainClient } from "./langchain";
import { openAiClient } from "./openai";
import { openAiResponsesClient } from "./openai-responses";

/** Every chat route with the clients from npm that use it, by name. */
export const CLIENTS_UNDER_TEST: [name: string, connect: (connection: Connection) => ClientUnderTest][] = [
  ["fetch on /v1/chat", chatRouteClient],
  ["openai on /v1/responses", openAiResponsesClient],
  ["@anthropic-ai/sdk on /v1/messages", anthropicClient],
  ["openai", openAiClient],
  ["ai with @ai-sdk/openai-compatible", aiSdkClient],
  ["@langchain/openai", langChainClient],
];
