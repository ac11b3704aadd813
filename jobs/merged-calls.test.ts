import { expect, test } from "bun:test";
import { AppError } from "../lib/errors";
import type { EmbeddingClient } from "./gateway-client";
import { mergeCalls } from "./merged-calls";

interface Sent {
  keyId: string;
  model: string;
  texts: readonly string[];
  signal: AbortSignal;
  answer(): void;
}

/** A gateway that answers when the test says so, and refuses texts with "long". */
const heldGateway = () => {
  const sent: Sent[] = [];
  const refused = new AppError("context_length_exceeded", "The text is too long.");
  const answerOnce = (caller: Parameters<EmbeddingClient["embed"]>[0], model: string, texts: readonly string[]) =>
    new Promise<void>((resolve, reject) => {
      const answer = () => (texts.some((text) => text.includes("long")) ? reject(refused) : resolve());
      sent.push({ ...caller, model, texts, answer });
    });
  const gateway = mergeCalls({
    async embed(...call) {
      await answerOnce(...call);
      return { vectors: call[2].map((text) => Float32Array.of(text.length)), revision: "1" };
    },
    async countTokens(...call) {
      await answerOnce(...call);
      return call[2].map(({ length }) => length);
    },
  });
  return { gateway, sent };
};

const signal = new AbortController().signal;
const caller = { keyId: "key_1", signal };
/** Answers all requests, including those sent as slots become free. */
const answerAll = async (sent: Sent[]): Promise<void> => {
  for (let at = 0; at < sent.length; at++) {
    sent[at]?.answer();
    await Bun.sleep(0);
  }
};

test("waiting calls are sent together, and each gets the results of its texts", async () => {
  const { gateway, sent } = heldGateway();
  const texts = [["a"], ["bb"], ["ccc", "dddd"], ["eeeee"], ["ffffff"]];
  const counts = Promise.all(texts.map((each) => gateway.countTokens(caller, "small", each)));
  const vectors = Promise.all(texts.map((each) => gateway.embed(caller, "small", each)));
  await answerAll(sent);
  expect(sent.map((each) => each.texts.length)).toEqual([1, 1, 1, 1, 4, 4]);
  expect(await counts).toEqual([[1], [2], [3, 4], [5], [6]]);
  expect((await vectors).map((each) => each.vectors.map(([value]) => value))).toEqual([[1], [2], [3, 4], [5], [6]]);
});

test("a merged request has at most 32 texts, one key and one model", async () => {
  const { gateway, sent } = heldGateway();
  const embed = (keyId: string, model: string, count: number) =>
    gateway.embed({ keyId, signal }, model, new Array(count).fill("a"));
  const all = [embed("key_1", "small", 1), embed("key_1", "small", 1)];
  for (const keyId of ["key_1", "key_2"]) {
    for (const model of ["small", "large"]) all.push(...[30, 1, 2].map((count) => embed(keyId, model, count)));
  }
  all.push(embed("key_1", "small", 40));
  await answerAll(sent);
  await Promise.all(all);
  const merged = sent.slice(2).map((each) => `${each.keyId} ${each.model} ${each.texts.length}`);
  expect(merged.toSorted()).toEqual(
    ["key_1", "key_2"]
      .flatMap((key) => ["small", "large"].flatMap((model) => [`${key} ${model} 31`, `${key} ${model} 2`]))
      .concat("key_1 small 40")
      .toSorted(),
  );
});

test("a refused text fails only its own call", async () => {
  const { gateway, sent } = heldGateway();
  const calls = ["a", "b", "c", "too long", "d"].map((text) =>
    gateway.embed(caller, "small", [text]).then(
      () => "embedded",
      ({ message }) => message,
    ),
  );
  await answerAll(sent);
  expect(await Promise.all(calls)).toEqual(["embedded", "embedded", "embedded", "The text is too long.", "embedded"]);
});

test("an aborted call rejects immediately, and its request ends when all its callers are aborted", async () => {
  const { gateway, sent } = heldGateway();
  const aborts = [0, 1, 2, 3].map(() => new AbortController());
  const calls = aborts.map((abort) =>
    gateway.embed({ keyId: "key_1", signal: abort.signal }, "small", ["a"]).catch((reason) => reason),
  );
  sent[0]?.answer();
  await calls[0];
  await Bun.sleep(0);
  expect(sent[2]?.texts).toEqual(["a", "a"]);
  aborts[2]?.abort("cancelled");
  expect([await calls[2], sent[2]?.signal.aborted]).toEqual(["cancelled", false]);
  aborts[3]?.abort("cancelled");
  expect([await calls[3], sent[2]?.signal.aborted]).toEqual(["cancelled", true]);
});
