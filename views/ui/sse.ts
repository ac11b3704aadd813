import type { Node } from "./html";

/** Sent at once, so that the browser has the headers before there is anything to show. */
export const SSE_HELLO = ": hello\n\n";

/** One unnamed message of a stream that hx-sse reads: it swaps the HTML in. */
export const sseMessage = async (node: Node): Promise<string> => {
  const html = await node.toString();
  return `${html.replaceAll(/\r\n?/g, "\n").replaceAll(/^/gm, "data: ")}\n\n`;
};
