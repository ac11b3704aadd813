import type { Output } from "./contract";

/** An answer as one text: what the model wrote, then one line for each function call. Empty without an output. */
export const answerText = (output: Pick<Output, "text" | "tool_calls"> | null | undefined): string => {
  const { text = "", tool_calls: calls = [] } = output ?? {};
  const called = calls.map(({ function: { name, arguments: json } }) => `${name} ${json}`);
  return (text === "" ? called : [text, ...called]).join("\n");
};
