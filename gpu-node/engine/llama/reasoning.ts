const OPEN = "<think>";
const CLOSE = "</think>";

/** Whether a model with this chat template writes reasoning between `<think>` and `</think>`. */
export const writesReasoning = (template: string): boolean => template.includes(CLOSE);

/** Whether a prompt already contains the opening tag of the reasoning, which some templates write. */
export const startsReasoning = (prompt: string): boolean => prompt.trimEnd().endsWith(OPEN);

/** Turns reasoning off: closes it in the prompt if the template has opened it. */
export const withoutReasoning = (prompt: string): string =>
  startsReasoning(prompt) ? `${prompt.trimEnd()}\n${CLOSE}\n\n` : prompt;

/**
 * Separates the reasoning at the start of an answer from its text. The answer arrives in pieces; the result doesn't
 * depend on where it is split. White space around the reasoning is removed.
 */
export class ReasoningSplitter {
  /** before: only white space has arrived. after: the reasoning has ended, and no text has arrived yet. */
  #phase: "before" | "reasoning" | "after" | "text";
  #held = "";
  #hasReasoned = false;

  /** `hasStarted`: the prompt contains the opening tag. */
  constructor(hasStarted: boolean) {
    this.#phase = hasStarted ? "reasoning" : "before";
  }

  get isReasoning(): boolean {
    return this.#phase === "reasoning";
  }

  push(piece: string): { reasoning: string; text: string } {
    this.#held += piece;
    let reasoning = "";
    if (this.#phase === "before") this.#start();
    if (this.#phase === "reasoning") reasoning = this.#takeReasoning();
    if (this.#phase === "after") {
      this.#held = this.#held.trimStart();
      if (this.#held !== "") this.#phase = "text";
    }
    if (this.#phase !== "text") return { reasoning, text: "" };
    const text = this.#held;
    this.#held = "";
    return { reasoning, text };
  }

  /** The rest at the end of the answer. */
  flush(): { reasoning: string; text: string } {
    const rest = this.#held;
    this.#held = "";
    return this.isReasoning ? { reasoning: rest.trimEnd(), text: "" } : { reasoning: "", text: rest };
  }

  #start(): void {
    const seen = this.#held.trimStart();
    if (seen.startsWith(OPEN)) {
      this.#phase = "reasoning";
      this.#held = seen.slice(OPEN.length);
    } else if (!OPEN.startsWith(seen)) this.#phase = "text";
  }

  #takeReasoning(): string {
    if (!this.#hasReasoned) this.#held = this.#held.trimStart();
    const end = this.#held.indexOf(CLOSE);
    // Held back: trailing white space and a possible start of the closing tag.
    const given = this.#held.slice(0, end >= 0 ? end : startOfTag(this.#held)).trimEnd();
    if (given !== "") this.#hasReasoned = true;
    if (end >= 0) {
      this.#phase = "after";
      this.#held = this.#held.slice(end + CLOSE.length);
    } else this.#held = this.#held.slice(given.length);
    return given;
  }
}

/** Where the start of the closing tag begins at the end of a text; the text's length if there is none. */
const startOfTag = (text: string): number => {
  let length = CLOSE.length - 1;
  while (!text.endsWith(CLOSE.slice(0, length))) length--;
  return text.length - length;
};
