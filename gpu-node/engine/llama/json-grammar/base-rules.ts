import { NUMBER_RULES } from "./numbers";

/** Named rules that a schema's grammar may use. A grammar contains only the rules that it uses. */
export const BASE_RULES: Record<string, string> = {
  ...NUMBER_RULES,
  // At most one line break with indentation, because a small model would fill the whole answer with white space.
  ws: '" "? | "\\n" [ \\t]{0,20}',
  hex: "[0-9a-fA-F]",
  // Escaped surrogates are not allowed: an unpaired one is invalid, and a pair would count as two characters.
  char: '[^"\\\\\\x7F\\x00-\\x1F] | "\\\\" ["\\\\/bfnrt] | "\\\\u" ([0-9a-cA-CefEF] hex{3} | [dD] [0-7] hex{2})',
  string: '"\\"" char* "\\""',
  boolean: '"true" | "false"',
  null: '"null"',
  any: "object | array | string | number | boolean | null",
  member: 'string ws ":" ws any',
  object: '"{" ws (member (ws "," ws member)*)? ws "}"',
  array: '"[" ws (any (ws "," ws any)*)? ws "]"',
  date: '[0-9]{4} "-" ("0" [1-9] | "1" [0-2]) "-" ("0" [1-9] | "1" [0-9] | "2" [0-8])',
  time: '([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("." [0-9]{1,6})? ("Z" | [+-] ([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9])',
  "date-time": 'date "T" time',
  uuid: 'hex{8} "-" hex{4} "-" hex{4} "-" hex{4} "-" hex{12}',
};
/** The supported values of `format`. Each is also the name of a rule. */
export const FORMATS = ["date", "time", "date-time", "uuid"];
