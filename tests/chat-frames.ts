/* Frames of a chat's stream, for tests. */

export const encoder = new TextEncoder();
export const head = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "m" };
export const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
export const frame = (chunk: object): string => `data: ${JSON.stringify({ ...head, ...chunk })}\n\n`;
export const content = (text: string, finish_reason: string | null = null): string =>
  frame({ choices: [{ index: 0, delta: { content: text }, finish_reason }] });
