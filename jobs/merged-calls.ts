import { toAppError } from "../lib/errors";
import type { EmbeddingClient } from "./gateway-client";

/** Maximum texts per merged request: for embedding, what a node computes in one batch. */
const MAX_EMBEDDED = 32;
const MAX_COUNTED = 256;
/** Requests in parallel: one is computed while the other is sent or its answer is stored. */
const PARALLEL = 2;

type Send<T> = (caller: Parameters<EmbeddingClient["embed"]>[0], model: string, texts: readonly string[]) => Promise<T>;

interface Call<T> {
  caller: Parameters<Send<T>>[0];
  model: string;
  texts: readonly string[];
  resolve(result: T): void;
  reject(error: unknown): void;
}

/** Sends the texts of several short documents in one request, because each request costs as much as a short text. */
export const mergeCalls = (gateway: EmbeddingClient): EmbeddingClient => ({
  embed: merged(gateway.embed, MAX_EMBEDDED, ({ vectors, revision }, from, to) => ({
    vectors: vectors.slice(from, to),
    revision,
  })),
  countTokens: merged(gateway.countTokens, MAX_COUNTED, (counts, from, to) => counts.slice(from, to)),
});

/** `part` extracts one caller's results from a request's results. */
const merged = <T>(send: Send<T>, maxTexts: number, part: (result: T, from: number, to: number) => T): Send<T> => {
  const waiting: Call<T>[] = [];
  let running = 0;

  const next = (): void => {
    while (running < PARALLEL && waiting.length > 0) {
      const calls = takeGroup(waiting, maxTexts);
      running++;
      void sendGroup(send, calls, part).finally(() => {
        running--;
        next();
      });
    }
  };

  return (caller, model, texts) => {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const { signal } = caller;
    const abort = () => reject(signal.reason);
    waiting.push({ caller, model, texts, resolve, reject });
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    next();
    return promise.finally(() => signal.removeEventListener("abort", abort));
  };
};

/** Removes the first call, and those for the same key and model whose texts still fit. Aborted calls are dropped. */
const takeGroup = <T>(waiting: Call<T>[], maxTexts: number): Call<T>[] => {
  const live = waiting.splice(0).filter(({ caller }) => !caller.signal.aborted);
  const [first] = live;
  const group: Call<T>[] = [];
  let count = 0;
  for (const call of live) {
    const isSame = call.caller.keyId === first?.caller.keyId && call.model === first.model;
    if (isSame && (count === 0 || count + call.texts.length <= maxTexts)) {
      group.push(call);
      count += call.texts.length;
    } else waiting.push(call);
  }
  return group;
};

/** Never rejects. If a merged request is refused, each call is sent by itself, so that it fails only for its own texts. */
const sendGroup = async <T>(
  send: Send<T>,
  calls: readonly Call<T>[],
  part: (result: T, from: number, to: number) => T,
): Promise<void> => {
  const [first] = calls;
  if (!first) return;
  const { keyId, traceparent } = first.caller;
  try {
    const signal = whenAllAborted(calls.map(({ caller }) => caller.signal));
    const texts = calls.flatMap((call) => call.texts);
    const result = await send({ keyId, signal, traceparent }, first.model, texts);
    let from = 0;
    for (const call of calls) {
      call.resolve(part(result, from, from + call.texts.length));
      from += call.texts.length;
    }
  } catch (error) {
    if (calls.length > 1 && !toAppError(error).retryable) {
      for (const call of calls) await sendGroup(send, [call], part);
    } else for (const { reject } of calls) reject(error);
  }
};

/** A signal that is aborted with the last reason once all of these are aborted. */
const whenAllAborted = (signals: readonly AbortSignal[]): AbortSignal => {
  const all = new AbortController();
  let left = signals.length;
  for (const signal of signals) {
    const abort = () => --left === 0 && all.abort(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  }
  return all.signal;
};
