import type { CallDelta } from "../../engine";
import type { CallFormat } from "./call-format";
import { Nesting } from "./nesting";

/** Maximum number of calls in one answer. */
const MAX_CALLS = 128;

/** Maximum number of characters read again. Without a limit, nested starts of calls take quadratic time. */
const MAX_REREAD = 500_000;

/** The members that a call's object may have. An object with any other member is text. */
const MEMBERS = new Set(["name", "arguments", "parameters", "type", "id"]);

/** Part of an answer: a piece of its text, then pieces of calls. */
export interface CallPiece {
  text: string;
  calls: CallDelta[];
}

/**
 * text: outside calls. open: a call's object must come next. head: in a call's object, before its arguments. arguments:
 * in its arguments. tail: in the object, after its arguments. after: after the object.
 */
type Phase = "text" | "open" | "head" | "arguments" | "tail" | "after";

/**
 * Finds function calls in an answer that arrives in pieces. The result doesn't depend on where the answer is split.
 *
 * A call is an object with the name of a known function and an object of arguments, after the marker of the format or
 * at the start of the answer. Everything else is text, including calls of unknown functions, and optional calls that end
 * before their arguments start. White space around calls is left out. Text that may be the start of a call is held back
 * until that is decided. Arguments are passed on as they arrive, even if they turn out to be invalid JSON.
 */
export class CallParser {
  #phase: Phase = "text";
  /** Whether only white space has come before, so that a call needs no marker. */
  #isStart = true;
  #isList = false;
  /** Text that has not been passed on yet. */
  #held = "";
  /** The part of `held` that belongs to a call's object. */
  #object = "";
  /** If the arguments come before the name: where they start in `object`, and their text once they are complete. */
  #argumentsAt = 0;
  #earlyArguments?: string;
  #nesting = new Nesting();
  #count = 0;
  #reread = 0;
  #input = "";
  #piece: CallPiece = { text: "", calls: [] };
  readonly #maxCalls: number;
  readonly #isRequired: boolean;

  constructor(
    readonly format: CallFormat,
    readonly names: ReadonlySet<string>,
    /** `isRequired`: a grammar allows only one call. If it is cut off, its start is not text. */
    { maxCalls = MAX_CALLS, isRequired = false }: { maxCalls?: number; isRequired?: boolean } = {},
  ) {
    this.#maxCalls = isRequired ? 1 : maxCalls;
    this.#isRequired = isRequired;
  }

  /** Whether the answer has calls, and all of them are complete. */
  get hasCalled(): boolean {
    return this.#count > 0 && this.#phase !== "arguments";
  }

  /** Whether the maximum number of calls has been reached. The rest of the answer is then ignored. */
  get isOver(): boolean {
    return this.hasCalled && this.#count >= this.#maxCalls;
  }

  push(text: string): CallPiece {
    this.#input = text;
    for (let at = 0; at < this.#input.length && !this.isOver; at++) {
      const rest = this.#take(this.#input[at] ?? "");
      if (!rest) continue;
      this.#input = rest + this.#input.slice(at + 1);
      at = -1;
    }
    return this.#given();
  }

  /** Ends the answer and returns the rest. */
  flush(): CallPiece {
    const isClosing = this.#phase === "after" && this.format.close.startsWith(this.#held.trim());
    if (!isClosing && !this.isOver && !this.#isRequired) this.#piece.text += this.#held;
    this.#held = "";
    return this.#given();
  }

  #given(): CallPiece {
    const piece = this.#piece;
    this.#piece = { text: "", calls: [] };
    return piece;
  }

  /** Returns text that was held back and must be read again. */
  #take(character: string): string | undefined {
    if (this.#phase === "arguments") return this.#inArguments(character);
    if (this.#phase === "tail") return this.#inTail(character);
    this.#held += character;
    if (this.#phase === "head") return this.#inHead(character);
    if (this.#phase === "open") return this.#beforeObject(character);
    return this.#phase === "after" ? this.#afterCall() : this.#inText();
  }

  #inText(): string | undefined {
    const seen = this.#held.trimStart();
    const bare = this.#isStart ? /^(\[?)\s*(\{?)$/.exec(seen) : null;
    if (bare) {
      this.#isList = bare[1] !== "";
      if (bare[2]) this.#enterObject();
      return undefined;
    }
    if (!this.format.open.startsWith(seen)) return this.#release();
    if (seen === this.format.open) {
      this.#phase = "open";
      this.#isList = false;
    }
    return undefined;
  }

  #beforeObject(character: string): string | undefined {
    if (character === "{") this.#enterObject();
    else if (character === "[" && !this.#isList) this.#isList = true;
    else if (character.trim() !== "") return this.#release();
    return undefined;
  }

  #enterObject(): void {
    this.#phase = "head";
    this.#object = "{";
    this.#argumentsAt = 0;
    this.#earlyArguments = undefined;
    this.#nesting = new Nesting();
    this.#nesting.take("{");
  }

  #inHead(character: string): string | undefined {
    const isFirst = this.#object === "{";
    if (isFirst && character.trim() === "") return undefined;
    if (isFirst && character !== '"') return this.#release();
    const before = this.#object;
    this.#object += character;
    if (!this.#nesting.take(character)) return undefined;
    const { depth } = this.#nesting;
    if (depth === 0) return this.#completeObject();
    if (depth === 1 && character === ":") return this.#isPossible(`${this.#object}null}`) ? undefined : this.#release();
    if (depth === 1 && character === ",") return this.#isPossible(`${before}}`) ? undefined : this.#release();
    if (depth === 2 && character === "{") return this.#startArguments(before);
    if (depth === 1 && character === "}" && this.#argumentsAt > 0 && this.#earlyArguments === undefined) {
      this.#earlyArguments = this.#object.slice(this.#argumentsAt);
    }
    return undefined;
  }

  /** Whether an object that starts with these members can be a call. */
  #isPossible(json: string): boolean {
    const members = parseObject(json);
    if (!members || !Object.keys(members).every((name) => MEMBERS.has(name))) return false;
    return typeof members.name !== "string" || this.names.has(members.name);
  }

  /** Called at the start of an object inside a call. It is the value of the last member in `before`. */
  #startArguments(before: string): string | undefined {
    const members = parseObject(`${before}null}`);
    if (!members) return this.#release();
    const last = Object.keys(members).at(-1);
    if ((last !== "arguments" && last !== "parameters") || members[last] !== null) return undefined;
    if (typeof members.name !== "string") {
      this.#argumentsAt = before.length;
      return undefined;
    }
    this.#startCall(members.name, "{");
    this.#phase = "arguments";
    this.#nesting = new Nesting();
    this.#nesting.take("{");
    return undefined;
  }

  /** Called at the end of a call's object if its arguments have not been passed on yet. */
  #completeObject(): string | undefined {
    const members = parseObject(this.#object);
    const { name, arguments: given = members?.parameters } = members ?? {};
    const text = this.#earlyArguments ?? (given === undefined ? "{}" : given);
    const isCall = typeof name === "string" && this.names.has(name) && typeof text === "string" && parseObject(text);
    if (!isCall) return this.#release();
    this.#startCall(name, text);
    this.#endObject();
    return undefined;
  }

  #startCall(name: string, text: string): void {
    const id = `call_${crypto.randomUUID().replaceAll("-", "").slice(0, 24)}`;
    this.#piece.calls.push({ index: this.#count++, id, name, arguments: text });
    this.#isStart = false;
    this.#held = "";
  }

  #inArguments(character: string): undefined {
    const last = this.#piece.calls.at(-1);
    if (last) last.arguments += character;
    else this.#piece.calls.push({ index: this.#count - 1, arguments: character });
    this.#nesting.take(character);
    if (this.#nesting.depth > 0) return;
    this.#phase = "tail";
    this.#nesting.depth = 1;
  }

  /** Skips the end of the object, which has no meaning. A character that can't belong to it also ends it. */
  #inTail(character: string): string | undefined {
    const isStructure = this.#nesting.take(character);
    const isBroken = isStructure && !/[\s\w{}[\],:.+-]/.test(character);
    if (isBroken || this.#nesting.depth === 0) this.#endObject();
    return isBroken ? character : undefined;
  }

  #endObject(): void {
    this.#phase = "after";
    this.#held = "";
  }

  #afterCall(): string | undefined {
    const { open, close } = this.format;
    const seen = this.#held.trimStart();
    if (seen === "") return undefined;
    if (seen === "{") this.#enterObject();
    else if (seen === "," || (seen === ";" && !this.#isList)) this.#phase = "open";
    else if (seen === "]" && this.#isList) this.#isList = false;
    else if (seen === open) this.#phase = "open";
    else if (!open.startsWith(seen) && !close.startsWith(seen)) {
      this.#phase = "text"; // without the white space after the call
      this.#held = "";
      return seen;
    }
    if (seen === "]" || seen === close) this.#held = "";
    return undefined;
  }

  /**
   * Treats what is held back as text. Passes on its first character; the rest may contain a call and is read again,
   * unless too much was.
   */
  #release(): string {
    const first = this.#held.length - this.#held.trimStart().length + 1;
    this.#reread += this.#held.length - first;
    const length = this.#reread > MAX_REREAD ? this.#held.length : first;
    const rest = this.#held.slice(length);
    this.#piece.text += this.#held.slice(0, length);
    this.#held = "";
    this.#phase = "text";
    this.#isStart = false;
    this.#isList = false;
    return rest;
  }
}

/** Parses a JSON object; undefined for anything else. */
const parseObject = (json: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
};
