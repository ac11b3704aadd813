import type { NewSample } from "../../gateway/datasets/contract";

/** A question, or a chat's messages as one text. */
export const textOfInput = (input: NewSample["input"]): string =>
  typeof input === "string" ? input : input.map(({ role, content }) => `${role}: ${textOfContent(content)}`).join("\n");

const textOfContent = (content: Extract<NewSample["input"], unknown[]>[number]["content"]): string => {
  if (!content) return "";
  return typeof content === "string" ? content : content.map(({ text }) => text).join("\n");
};
