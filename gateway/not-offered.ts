/**
 * What to use instead of OpenAI's routes that Groundwire doesn't offer, by the routes' prefix; empty if there is no
 * alternative.
 */
const NOT_OFFERED: Readonly<Record<string, string>> = {
  assistants: "POST /v1/chat/completions supports function calls, and /v1/conversations stores histories.",
  audio: "Models that read audio accept it in the messages of POST /v1/chat/completions.",
  fine_tuning: "Train models elsewhere, and serve them with a GPU node.",
  images: "Models that read images accept them in the messages of POST /v1/chat/completions.",
  moderations: "POST /v1/evaluate scores a text against a rubric of your own.",
  realtime: "POST /v1/chat/completions with stream: true sends each piece of an answer as it is written.",
  threads: "/v1/conversations stores histories.",
  vector_stores: "/v1/rag/indexes stores documents, and POST /v1/rag/query answers from them.",
  videos: "",
};

/** Explains that Groundwire doesn't offer this route of OpenAI's API; undefined for any other path. */
export const notOffered = (path: string): string | undefined => {
  const [, version, group = ""] = path.split("/");
  if (version !== "v1" || !Object.hasOwn(NOT_OFFERED, group)) return undefined;
  return `Groundwire doesn't offer /v1/${group}. ${NOT_OFFERED[group]}`.trim();
};
