import type { ChatTurn, EarlierCall } from "../../messages";
import type { ToolFunction } from "../../tools";
import { type CallFormat, isBare, isListed } from "./call-format";

/** How to write functions as text. */
interface ToolTextOptions {
  format: CallFormat;
  /** Whether the template supports system messages. */
  hasSystem: boolean;
}

/**
 * Writes functions, calls and results into the texts of a chat, for templates that don't support them. Results become
 * part of a user's turn, because many templates require user and assistant to alternate.
 */
export const asText = (
  turns: ChatTurn[],
  tools: ToolFunction[] | undefined,
  { format, hasSystem }: ToolTextOptions,
): ChatTurn[] => {
  const written: ChatTurn[] = [];
  let isResult = false;
  for (const turn of turns) {
    const wasResult = isResult;
    isResult = turn.role === "tool";
    const content = isResult ? `<tool_response>\n${turn.content}\n</tool_response>` : withCalls(turn, format);
    const role = isResult ? "user" : turn.role;
    const last = written.at(-1);
    if (last && wasResult && role === "user") last.content += `\n${content}`;
    else written.push({ ...(turn.reasoning !== undefined && { reasoning: turn.reasoning }), role, content });
  }
  return tools ? withDescription(written, describe(tools, format), hasSystem) : written;
};

const withCalls = ({ content, calls }: ChatTurn, format: CallFormat): string =>
  [content, ...(calls ? [writeCalls(calls, format)] : [])].filter((text) => text !== "").join("\n");

/** Writes calls exactly as the grammar does, so that they have the same tokens as the earlier answer. */
const writeCalls = (calls: Pick<EarlierCall, "name" | "arguments">[], format: CallFormat): string => {
  const objects = calls.map(
    ({ name, arguments: text }) => `{"name": ${JSON.stringify(name)}, "${format.member}": ${text}}`,
  );
  if (isBare(format)) return objects.join("; ");
  if (isListed(format)) return `[${objects.join(", ")}]`;
  return objects.map((object) => `${format.open}\n${object}\n${format.close}`).join("\n");
};

const withDescription = (turns: ChatTurn[], description: string, hasSystem: boolean): ChatTurn[] => {
  const [first, ...others] = turns;
  if (!first) return turns;
  if (first.role === "system") return [{ ...first, content: `${first.content}\n\n${description}` }, ...others];
  if (hasSystem) return [{ role: "system", content: description }, ...turns];
  return [{ ...first, content: `${description}\n\n${first.content}` }, ...others];
};

const EXAMPLE = { name: "the function's name", arguments: `{"the argument's name": "its value"}` };

const describe = (tools: ToolFunction[], format: CallFormat): string =>
  `You can call these functions. Each line has the JSON schema of one:
${tools.map(({ strict: _, ...tool }) => JSON.stringify(tool)).join("\n")}

To call a function, write:
${writeCalls([EXAMPLE], format)}
The result follows in <tool_response>. If no function helps, answer without calling one.`;
