/** The parts of our streams' events that contain text of the answer. */
interface TextEvent {
  type?: string;
  text?: string;
  choices?: { text?: string; delta?: { content?: string | null } }[];
}

const DATA = "data: ";
/** Events of our own streams: chat and RAG. */
const TEXT_EVENTS = new Set(["delta", "token"]);

/**
 * The answer as the request log stores it: a stream's text without its frames, the messages of an MCP stream, and
 * nothing for embeddings.
 */
export const answerText = (route: string, body: string): string => {
  if (route === "/v1/embeddings") return "";
  if (!/^(?:data|event)?:/.test(body)) return body;
  const frames = body.split("\n").flatMap((line) => (line.startsWith(DATA) ? [line.slice(DATA.length)] : []));
  return route === "/mcp" ? frames.join("\n") : frames.map(textOf).join("");
};

const textOf = (json: string): string => {
  try {
    const { type = "", text = "", choices }: TextEvent = JSON.parse(json);
    if (choices) return choices.map(({ text: whole, delta }) => whole ?? delta?.content ?? "").join("");
    return TEXT_EVENTS.has(type) ? text : "";
  } catch {
    // `[DONE]`, or a frame that was cut.
    return "";
  }
};
