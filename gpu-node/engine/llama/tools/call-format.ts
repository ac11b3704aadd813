/** How a model writes function calls: JSON objects with a name and arguments, after a marker. */
export interface CallFormat {
  /** Text before each call, or before all of them. A call at the start of an answer may lack it. */
  open: string;
  /** Text after each call; may be empty. */
  close: string;
  /** The member with the arguments, as the model writes it. */
  member: "arguments" | "parameters";
}

/** `<tool_call>{"name": …, "arguments": {…}}</tool_call>`: Hermes, Qwen, and models that only our own prompt taught. */
export const TAGGED: CallFormat = { open: "<tool_call>", close: "</tool_call>", member: "arguments" };
/** `{"name": …, "parameters": {…}}`, or the same after the marker: Llama 3. */
const BARE: CallFormat = { open: "<|python_tag|>", close: "", member: "parameters" };
/** `[TOOL_CALLS][{"name": …, "arguments": {…}}, …]`: Mistral. */
const LISTED: CallFormat = { open: "[TOOL_CALLS]", close: "", member: "arguments" };

export const CALL_FORMATS: readonly CallFormat[] = [TAGGED, LISTED, BARE];

/** Whether calls are in a list after one marker. */
export const isListed = (format: CallFormat): boolean => format.open === LISTED.open;
/** Whether calls have no marker, unless text comes before them. */
export const isBare = (format: CallFormat): boolean => format.open === BARE.open;
