import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Model } from "../../gateway/models/contract";

/** A program that can use the gateway, with Markdown that explains how to connect it. */
export interface Client {
  id: string;
  name: string;
  text: string;
}

const readDocs = (name: string): string => readFileSync(join(import.meta.dir, "../../docs", name), "utf8");

/** The sections of a page whose headings have `depth` hashes. */
const sectionsOf = (page: string, depth: 2 | 3): Client[] =>
  page.split(/^(?=#{2,3} )/m).flatMap((section) => {
    const [, marks = "", name = "", text = ""] = /^(#+) (.+)\n([\s\S]*)$/.exec(section) ?? [];
    return marks.length === depth ? [{ id: idOf(name), name, text: withoutPageLinks(text.trim()) }] : [];
  });

const idOf = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");

/** The gateway doesn't serve the documentation, so only the names of linked pages are kept. */
const withoutPageLinks = (text: string): string => text.replaceAll(/\[([^\]]+)\]\([\w/.-]+\.md(?:#[\w-]+)?\)/g, "$1");

/** The settings for MCP clients. The introduction, which is about keys, is left out. */
const MCP = sectionsOf(readDocs("mcp.md"), 2)
  .filter(({ id }) => id === "connect")
  .map(({ text }) => text.slice(text.indexOf("**Claude Code**")));

/** The programs in docs/clients.md, then those in docs/mcp.md, in the order of the pages. */
export const CLIENTS: readonly Client[] = [
  ...sectionsOf(readDocs("clients.md"), 3),
  ...MCP.map((text) => ({ id: "mcp", name: "MCP: Claude Code, Cursor, VS Code, Codex", text })),
];

/** The values to fill in. Where one is missing, the documentation's example stays. */
export interface ConnectionValues {
  /** The gateway's address without a path. */
  origin: string;
  key?: string;
  chat?: Pick<Model, "id" | "context_window"> & { capabilities: Pick<Model["capabilities"], "tools"> };
  embedding?: Pick<Model, "id">;
}

export const KEY_PLACEHOLDER = "gw_…";

const EXAMPLE_ORIGIN = "http://127.0.0.1:8080";
/** Most programs need the address of OpenAI's routes; MCP clients and Anthropic's need another one. */
const PATHS = ["/v1", "/mcp"];

/** The gateway's address as this program needs it. */
export const addressFor = ({ text }: Client, origin: string): string =>
  origin + (PATHS.find((path) => text.includes(EXAMPLE_ORIGIN + path)) ?? "");

/** Replaces the documentation's examples of address, key and models. */
export const fillIn = (text: string, { origin, key, chat, embedding }: ConnectionValues): string => {
  const values: [example: string, value: string | undefined][] = [
    [EXAMPLE_ORIGIN, origin],
    [KEY_PLACEHOLDER, key],
    ["context_window=4096", chat && `context_window=${chat.context_window}`],
    ["context_window = 4096", chat && `context_window = ${chat.context_window}`],
    ["COMPACT_WINDOW=4096", chat && `COMPACT_WINDOW=${chat.context_window}`],
    [
      "is_function_calling_model=True",
      chat?.capabilities.tools === false ? "is_function_calling_model=False" : undefined,
    ],
    ["smollm2-135m-instruct", chat?.id],
    ["all-minilm-l6-v2", embedding?.id],
  ];
  return values.reduce((filling, [example, value = example]) => filling.replaceAll(example, () => value), text);
};
