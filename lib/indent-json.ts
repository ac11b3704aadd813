/** JSON that is nested more deeply isn't indented, because its lines would start with too many spaces. */
const MAX_DEPTH = 32;

/** A string with its quotes, a bracket, a comma, a colon, or any other value. */
const TOKENS = /"(?:\\.|[^"\\])*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/**
 * Indents JSON like `JSON.stringify(value, null, 2)`, but keeps every number and string as it is in the text, because
 * JavaScript rounds large numbers. Returns undefined for any other text, such as incomplete arguments, and for JSON
 * that is nested too deeply.
 */
export const indentJson = (text: string): string | undefined => {
  if (!isJson(text)) return undefined;
  let [depth, indented, previous] = [0, "", ""];
  for (const [token] of text.matchAll(TOKENS)) {
    const [closes, isAfterOpening] = [isClosing(token), isOpening(previous)];
    if (closes) depth--;
    const breaks = previous === "," || closes !== isAfterOpening;
    indented += breaks ? `\n${"  ".repeat(depth)}${token}` : previous === ":" ? ` ${token}` : token;
    if (isOpening(token)) depth++;
    if (depth > MAX_DEPTH) return undefined;
    previous = token;
  }
  return indented;
};

const isOpening = (token: string): boolean => token === "{" || token === "[";
const isClosing = (token: string): boolean => token === "}" || token === "]";

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};
