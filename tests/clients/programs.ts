/** A client from PyPI that `bun run clients` installs and tests. */
export interface Program {
  name: string;
  /** Packages with exact versions, so that results can be repeated. The first one is the client itself. */
  packages: readonly string[];
  /** The section of docs/clients.md whose examples are run. */
  section: string;
  /** The module in `python/` with the client's conversations; undefined if the program is a command. */
  module?: string;
  /** For a command: arguments that make it ask one question and exit. */
  question?: string;
}

export const PROGRAMS: readonly Program[] = [
  { name: "openai", packages: ["openai==3.57.0"], section: "openai-sdk-for-python", module: "openai_sdk" },
  {
    name: "openai-responses",
    packages: ["openai==3.57.0"],
    section: "openai-sdk-for-python",
    module: "openai_responses",
  },
  { name: "anthropic", packages: ["anthropic==2.15.0"], section: "anthropic-sdk-for-python", module: "anthropic_sdk" },
  { name: "litellm", packages: ["litellm==1.110.2"], section: "litellm", module: "litellm_sdk" },
  {
    name: "langchain-openai",
    packages: ["langchain-openai==1.7.4"],
    section: "langchain-for-python",
    module: "langchain_sdk",
  },
  {
    name: "llama-index",
    packages: ["llama-index-llms-openai-like==0.8.1", "llama-index-embeddings-openai-like==0.4.0"],
    section: "llamaindex",
    module: "llama_index_sdk",
  },
  {
    name: "aider",
    packages: ["aider-chat==0.86.2"],
    section: "aider",
    question: '--message "Name three colours." --yes-always --no-git --no-stream --no-check-update --analytics-disable',
  },
];
