import { AppError } from "../../lib/errors";
import type { Principal } from "../principal";
import type { ResponseObject } from "./contract";

/** A response that is being streamed. */
export interface RunningResponse {
  keyId: string;
  /** The response so far. */
  snapshot(): ResponseObject;
  /** Stops the stream. Returns the final state of the response once it is stored. */
  cancel(): Promise<ResponseObject>;
}

/** The responses that this process is streaming. A key only finds its own. */
export class RunningResponses {
  readonly #running = new Map<string, RunningResponse>();

  /** `left` is aborted when the client leaves. Its stream may then never be read to its end. */
  add(id: string, response: RunningResponse, left: AbortSignal): void {
    if (left.aborted) return;
    this.#running.set(id, response);
    left.addEventListener("abort", () => this.delete(id), { once: true });
  }

  delete(id: string): void {
    this.#running.delete(id);
  }

  find({ keyId }: Pick<Principal, "keyId">, id: string): RunningResponse | undefined {
    const response = this.#running.get(id);
    return response?.keyId === keyId ? response : undefined;
  }

  /** Throws conflict if the response is still running. */
  assertEnded(principal: Pick<Principal, "keyId">, id: string, param: string): void {
    if (!this.find(principal, id)) return;
    const message = `Response ${id} is still being generated. Cancel it, or wait for it to finish.`;
    throw new AppError("conflict", message, { param, retryAfterMs: 1000 });
  }
}
