import { aiSdkClient } from "./ai-sdk";
import type { ClientUnderTest, Connection } from "./conversations";
import { langChainClient } from "./langchain";
import { openAiClient } from "./openai";

/** The clients from npm, by name. */
export const NPM_CLIENTS: [name: string, connect: (connection: Connection) => ClientUnderTest][] = [
  ["openai", openAiClient],
  ["ai with @ai-sdk/openai-compatible", aiSdkClient],
  ["@langchain/openai", langChainClient],
];
