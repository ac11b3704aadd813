import { fromSent, toSent } from "../../../lib/thread-errors";
import { claimSpans, scoreReference } from "../scorers/reference-evaluator";
import type { FromThread, ToThread } from "./scoring-thread";

/* Entry of the Worker that scores: long texts take seconds of pure computation, which nobody else has to wait for. */

declare const self: Worker;

/** Work that waits for vectors. */
const waiting = new Map<number, PromiseWithResolvers<Float32Array[]>>();

const say = (message: FromThread): void => self.postMessage(message);

const embed = (id: number) => (texts: readonly string[]) => {
  const vectors = Promise.withResolvers<Float32Array[]>();
  waiting.set(id, vectors);
  say({ id, kind: "embed", texts: [...texts] });
  return vectors.promise.finally(() => waiting.delete(id));
};

const work = async (message: Extract<ToThread, { kind: "score" | "claims" }>): Promise<void> => {
  const { id } = message;
  try {
    if (message.kind === "claims") say({ id, kind: "claims", claims: claimSpans(message.output) });
    else say({ id, kind: "scores", scores: await scoreReference(message.answer, embed(id)) });
  } catch (thrown) {
    say({ id, kind: "failed", error: toSent(thrown) });
  }
};

self.onmessage = ({ data }: MessageEvent<ToThread>) => {
  switch (data.kind) {
    case "vectors":
      return waiting.get(data.id)?.resolve(data.vectors);
    case "no_vectors":
      return waiting.get(data.id)?.reject(fromSent(data.error));
    default:
      void work(data);
  }
};
