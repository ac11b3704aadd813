/** The parts of our streams' events that contain text of the answer. */
interface TextEvent {
  type?: string;
  text?: string;
  choices?: { text?: string; delta?: { content?: string | null } }[];
}

const DATA = "data: ";
/** Events of our own streams: chat and RAG. */
const TEXT_EVENTS = new Set(["delta", "token"]);

/** The answer as the request log stores it: of a stream, its text without the frames; of embeddings, nothing. */
export const answerText = (route: string, body: string): string => {
  if (route === "/v1/embeddings") return "";
  if (!body.startsWith(DATA) && !body.startsWith(":")) return body;
  return body
    .split("\n")
    .filter((line) => line.startsWith(DATA))
    .map((line) => textOf(line.slice(DATA.length)))
    .join("");
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
