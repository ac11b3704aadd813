interface CallPiece {
  function?: { name?: string | null; arguments?: string | null };
}

/** The parts of our streams' events that contain text of the answer. */
interface TextEvent {
  type?: string;
  text?: string;
  tool_calls?: CallPiece[];
  choices?: {
    index?: number;
    text?: string;
    delta?: { content?: string | null; tool_calls?: CallPiece[] | null };
  }[];
  /** Events of `/v1/messages` and `/v1/responses`: the start of a call, or a piece of a text or call. */
  content_block?: { name?: string };
  item?: { name?: string };
  delta?: string | { text?: string; partial_json?: string };
}

const DATA = "data: ";
/** Events of our own streams: chat and RAG. */
const TEXT_EVENTS = new Set(["delta", "token"]);

/**
 * The answer as the request log stores it: a stream's text and function calls without its frames, choice by choice, the
 * messages of an MCP stream, and nothing for embeddings.
 */
export const answerText = (route: string, body: string): string => {
  if (route === "/v1/embeddings") return "";
  if (!/^(?:data|event)?:/.test(body)) return body;
  const frames = body.split("\n").flatMap((line) => (line.startsWith(DATA) ? [line.slice(DATA.length)] : []));
  if (route === "/mcp") return frames.join("\n");
  const texts = new Map<number, string>();
  const add = (index: number, text: string | null = "", calls?: CallPiece[] | null): void => {
    let whole = (texts.get(index) ?? "") + (text ?? "");
    for (const { function: { name, arguments: json } = {} } of calls ?? []) {
      if (name) whole += `${whole === "" ? "" : "\n"}${name} `;
      whole += json ?? "";
    }
    texts.set(index, whole);
  };
  for (const { type = "", text, tool_calls, choices, content_block, item, delta } of frames.map(parse)) {
    if (TEXT_EVENTS.has(type)) add(0, text, tool_calls);
    const named = content_block ?? (type === "response.output_item.added" ? item : undefined);
    if (named?.name) add(0, "", [{ function: { name: named.name } }]);
    if (typeof delta === "object") add(0, delta.text, [{ function: { arguments: delta.partial_json } }]);
    else if (type === "response.output_text.delta") add(0, delta);
    else if (type === "response.function_call_arguments.delta") add(0, "", [{ function: { arguments: delta } }]);
    for (const { index = 0, text: plain, delta: piece } of choices ?? []) {
      add(index, plain ?? piece?.content, piece?.tool_calls);
    }
  }
  return [...texts]
    .toSorted(([a], [b]) => a - b)
    .map(([, text]) => text)
    .join("\n");
};

const parse = (json: string): TextEvent => {
  try {
    return JSON.parse(json);
  } catch {
    // `[DONE]`, or a frame that was cut.
    return {};
  }
};
