import type { ToolCall, ToolCallDelta } from "./message";

/**
 * Index of the call that a piece belongs to, when there are `count` calls so far. Some servers send complete calls
 * without an index.
 */
export const callIndex = ({ index, id }: ToolCallDelta, count: number): number =>
  index ?? (id ? count : Math.max(0, count - 1));

/** The function calls of a streamed answer, joined from their pieces. */
export class JoinedCalls {
  /** By index in the stream. `ToolCall` itself has no index. */
  readonly #calls = new Map<number, ToolCall>();

  add(delta: ToolCallDelta): void {
    const { id, function: { name, arguments: piece } = {} } = delta;
    const at = callIndex(delta, this.#calls.size);
    const call = this.#calls.get(at) ?? { id: "", type: "function", function: { name: "", arguments: "" } };
    if (id) call.id = id;
    if (name) call.function.name += name;
    if (piece) call.function.arguments += piece;
    this.#calls.set(at, call);
  }

  /** The calls so far, in order, as copies that later pieces don't change. */
  toCalls(): ToolCall[] {
    return [...this.#calls]
      .toSorted(([a], [b]) => a - b)
      .map(([, { function: called, ...call }]) => ({ ...call, function: { ...called } }));
  }
}
