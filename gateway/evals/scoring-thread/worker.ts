import { toSent } from "../../../lib/thread-errors";
import { claimSpans, scoreReference } from "../scorers/reference-evaluator";
import type { FromThread, ToThread } from "./scoring-thread";

/* Entry of the Worker that scores. Long texts take seconds to compute, which must not block the gateway's requests. */

declare const self: Worker;

const replyTo = (message: ToThread): FromThread => {
  const { id } = message;
  try {
    return message.kind === "claims"
      ? { id, kind: "claims", claims: claimSpans(message.output) }
      : { id, kind: "scores", scores: scoreReference(message.answer) };
  } catch (thrown) {
    return { id, kind: "failed", error: toSent(thrown) };
  }
};

self.onmessage = ({ data }: MessageEvent<ToThread>) => self.postMessage(replyTo(data));
