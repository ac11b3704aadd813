import type { EngineReply } from "../ports/engine";
import { clientClosed, FrameLog, FrameReader } from "./frame-log";

/**
 * One generation and everybody who reads it. Whoever joins gets all frames from the start and then follows live; the
 * memory is bounded by one answer. The generation runs at its own pace, so a slow reader holds up nobody. When the last
 * reader has gone before the end, the generation is aborted.
 */
export class Flight {
  readonly #abort = new AbortController();
  readonly #log = new FrameLog();
  readonly #head: Promise<Omit<EngineReply, "body">>;
  #readers = 0;

  /** `onEnd` runs once, before any reader sees the end: with all frames of a whole answer, else with undefined. */
  constructor(
    generate: (signal: AbortSignal) => Promise<EngineReply>,
    onEnd: (frames: Uint8Array[] | undefined) => void,
  ) {
    const reply = generate(this.#abort.signal);
    this.#head = reply.then(({ body: _, ...head }) => head);
    // Every reader handles the failure itself; without one it is nobody's.
    this.#head.catch(() => {});
    void this.#follow(reply, onEnd);
  }

  /** False once its last reader has left: the generation is being ended. */
  get isJoinable(): boolean {
    return !this.#abort.signal.aborted;
  }

  /**
   * The reply for one more reader, who leaves when `signal` is aborted or the iteration stops. Rejects with what
   * `generate` threw, or client_closed when `signal` was aborted first.
   */
  async join(signal: AbortSignal): Promise<EngineReply> {
    this.#readers++;
    const reader = new FrameReader(this.#log, signal, () => this.#leave());
    if (signal.aborted) reader.leave();
    try {
      const head = await Promise.race([this.#head, reader.hasLeft]);
      if (!head) throw clientClosed();
      return { ...head, body: reader };
    } catch (error) {
      reader.leave();
      throw error;
    }
  }

  async #follow(reply: Promise<EngineReply>, onEnd: (frames: Uint8Array[] | undefined) => void): Promise<void> {
    try {
      const { body } = await reply;
      for await (const frame of body) this.#log.push(frame);
    } catch (error) {
      onEnd(undefined);
      this.#log.break(error);
      return;
    }
    onEnd(this.#log.frames);
    this.#log.end();
  }

  #leave(): void {
    this.#readers--;
    if (this.#readers === 0 && this.#log.state === "open") this.#abort.abort();
  }
}
