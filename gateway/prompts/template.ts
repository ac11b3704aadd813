import { canonicalHash } from "../../lib/canonical-json";
import { AppError } from "../../lib/errors";
import type { PromptVersion } from "./contract";

type Messages = PromptVersion["messages"];

/** `{{name}}`, also `{{ metadata.topic }}`. */
const VARIABLE = /\{\{\s*([a-zA-Z_][\w.-]*)\s*\}\}/g;

/** sha256 of the messages, in hex: equal templates have equal hashes everywhere. */
export const hashOf = (messages: Messages): string => canonicalHash(messages);

/** The variables of a template, each once, in order of appearance. */
export const variablesOf = (messages: Messages): string[] => [
  ...new Set(messages.flatMap(({ content }) => [...content.matchAll(VARIABLE)].map(([, name = ""]) => name))),
];

/**
 * The messages with every variable replaced, in one pass: a value that looks like a variable stays text. Throws
 * invalid_request for a variable without a value.
 */
export const render = (messages: Messages, values: Readonly<Record<string, string>>): Messages => {
  const missing = variablesOf(messages).filter((name) => !Object.hasOwn(values, name));
  if (missing.length > 0) {
    const known = Object.keys(values).join(", ");
    throw new AppError(
      "invalid_request",
      `The prompt needs {{${missing[0]}}}, which is not available here. Available: ${known}.`,
      { param: "target.prompt" },
    );
  }
  return messages.map(({ role, content }) => ({
    role,
    content: content.replaceAll(VARIABLE, (_, name: string) => values[name] ?? ""),
  }));
};
