/** How a model writes function calls: JSON objects with a name and arguments, after a marker. */
export interface CallFormat {
  /** The marker before each call, or before the list of calls. A call at the start of an answer may omit it. */
  open: string;
  /** Text after each call; may be empty. */
  close: string;
  /** The name that the model gives to the member with the arguments. */
  member: "arguments" | "parameters";
}

/**
 * `<tool_call>{"name": …, "arguments": {…}}</tool_call>`: Hermes, Qwen, and models that only know functions from our
 * own prompt.
 */
export const TAGGED: CallFormat = { open: "<tool_call>", close: "</tool_call>", member: "arguments" };
/** `{"name": …, "parameters": {…}}`, or the same after the marker: Llama 3. */
const BARE: CallFormat = { open: "<|python_tag|>", close: "", member: "parameters" };
/** `[TOOL_CALLS][{"name": …, "arguments": {…}}, …]`: Mistral. */
const LISTED: CallFormat = { open: "[TOOL_CALLS]", close: "", member: "arguments" };

export const CALL_FORMATS: readonly CallFormat[] = [TAGGED, LISTED, BARE];

/** Whether all calls are in one list after one marker. */
export const isListed = (format: CallFormat): boolean => format.open === LISTED.open;
/** Whether calls only have a marker if text comes before them. */
export const isBare = (format: CallFormat): boolean => format.open === BARE.open;
