import { AppError } from "../../../../lib/errors";
import type { Fields } from "../../fields";
import type { ToolFunction, ToolUse } from "../../tools";
import { GrammarBuilder, RESPONSE_SCHEMA } from "../json-grammar/json-grammar";
import { type CallFormat, isBare, isListed } from "./call-format";

/**
 * The GBNF grammar of an answer that may call functions; undefined if any text is allowed. Arguments match the
 * function's parameters, but keywords that a grammar can't enforce are ignored unless the function is strict. `schema`
 * applies to an answer without calls. Throws invalid_request.
 */
export const callGrammar = (format: CallFormat, use: ToolUse, schema: Fields | undefined): string | undefined => {
  const { tools, required } = use;
  if (!required && !schema && !tools.some(({ strict }) => strict)) return undefined;
  const grammar = new GrammarBuilder();
  const calls = addCalls(grammar, format, use);
  if (required) return grammar.build(calls);
  if (schema) return grammar.build(`${grammar.add(schema, RESPONSE_SCHEMA)} | ${calls}`);
  const text = addText(grammar, format.open);
  const later = isBare(format) ? `${quoted(format.open)} ${calls}` : calls;
  return grammar.build(`${isBare(format) ? `${calls} | ` : ""}${text} (${later})?`);
};

const addCalls = (grammar: GrammarBuilder, format: CallFormat, { tools, required, isParallel }: ToolUse): string => {
  const objects = tools.flatMap((tool, index) => {
    if (required && !required.includes(tool.name)) return [];
    const head = `{"name": ${JSON.stringify(tool.name)}, "${format.member}": `;
    return [`${quoted(head)} (${argumentsOf(grammar, tool, `tools.${index}.function.parameters`)}) "}"`];
  });
  const object = grammar.rule("call", objects.join(" | "));
  const several = (one: string, separator: string) => (isParallel ? `${one} (${quoted(separator)} ${one})*` : one);
  if (isBare(format)) return grammar.rule("calls", several(object, "; "));
  if (isListed(format)) return grammar.rule("calls", `${quoted(format.open)} " "? "[" ${several(object, ", ")} "]"`);
  const tagged = grammar.rule("tagged", `${quoted(`${format.open}\n`)} ${object} ${quoted(`\n${format.close}`)}`);
  return grammar.rule("calls", several(tagged, "\n"));
};

const NO_ARGUMENTS = { type: "object", additionalProperties: false };

/** The expression for the arguments of a function. */
const argumentsOf = (grammar: GrammarBuilder, { parameters = NO_ARGUMENTS, strict }: ToolFunction, path: string) => {
  const hasType = ["type", "$ref", "anyOf", "allOf"].some((keyword) => keyword in parameters);
  const schema = hasType ? parameters : { type: "object", ...parameters };
  try {
    return grammar.add(schema, path, !strict);
  } catch (error) {
    if (strict || !(error instanceof AppError)) throw error;
    return grammar.add({ type: "object" }, path);
  }
};

/**
 * Adds the rules for a text, possibly empty, that is not a call: it doesn't start with a bracket and doesn't contain
 * the marker. Each rule is a state of the Knuth-Morris-Pratt automaton: `text-3` comes after the first 3 characters of
 * the marker.
 */
const addText = (grammar: GrammarBuilder, marker: string): string => {
  const letters = [...new Set(marker)];
  const after = (state: number, letter: string): number => {
    const seen = marker.slice(0, state) + letter;
    let length = seen.length;
    while (!seen.endsWith(marker.slice(0, length))) length--;
    return length;
  };
  const next = (state: number, letter: string) => `${quoted(letter)} text-${after(state, letter)}`;
  for (let state = 0; state < marker.length; state++) {
    const kept = letters.filter((letter) => after(state, letter) > 0);
    const allowed = kept.filter((letter) => after(state, letter) < marker.length);
    const continued = [`[^${kept.map(escaped).join("")}] text-0`, ...allowed.map((letter) => next(state, letter))];
    grammar.rule(`text-${state}`, `(${continued.join(" | ")})?`);
  }
  const [first = ""] = marker;
  const marked = first === "[" ? "" : ` | ${next(0, first)}`;
  return grammar.rule("text", `[ \\t\\r\\n]* ([^ \\t\\r\\n\\[{${escaped(first)}] text-0${marked})?`);
};

/** Quotes a text as a GBNF string. */
const quoted = (text: string): string => JSON.stringify(text);
/** Escapes a character for a GBNF character class. */
const escaped = (character: string): string => (/[[\]\\]/.test(character) ? `\\${character}` : character);
