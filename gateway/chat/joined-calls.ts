import type { ToolCall, ToolCallDelta } from "./message";

/** The function calls of a streamed answer, joined from their pieces. */
export class JoinedCalls {
  /** By their index in the stream, which a complete call doesn't have. */
  readonly #calls = new Map<number, ToolCall>();

  add({ index, id, function: { name, arguments: piece } = {} }: ToolCallDelta): void {
    const { size } = this.#calls;
    // Some servers send complete calls without an index.
    const at = index ?? (id ? size : Math.max(0, size - 1));
    const call = this.#calls.get(at) ?? { id: "", type: "function", function: { name: "", arguments: "" } };
    if (id) call.id = id;
    if (name) call.function.name += name;
    if (piece) call.function.arguments += piece;
    this.#calls.set(at, call);
  }

  /** The calls so far, in their order. Later pieces don't change them. */
  toCalls(): ToolCall[] {
    return [...this.#calls]
      .toSorted(([a], [b]) => a - b)
      .map(([, { function: called, ...call }]) => ({ ...call, function: { ...called } }));
  }
}
