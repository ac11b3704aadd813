import { expect, test } from "bun:test";
import { chatCapabilities } from "../../gpu-node/engine/capabilities";
import { estimateTokens } from "../limits/ledger";
import { EXTRA, mediaOf, nodeBody, shortened } from "./request";

const text = { type: "text" as const, text: "What is this?" };
const image = (bytes: number) => ({
  type: "image_url" as const,
  image_url: { url: `data:image/png;base64,${"A".repeat(bytes - 22)}` },
});
const audio = (bytes: number) => ({
  type: "input_audio" as const,
  input_audio: { data: "A".repeat(bytes), format: "mp3" as const },
});
const ask = (...content: (typeof text | ReturnType<typeof image> | ReturnType<typeof audio>)[]) => ({
  messages: [{ role: "user" as const, content }],
});

const capabilities = (reasoning: boolean) => ({ ...chatCapabilities(100, {}), reasoning });
const said = { role: "assistant" as const, content: "Rome", reasoning: "Hm.", reasoning_content: "Hm." };

test("earlier reasoning is sent only to models that read it", () => {
  const body = { messages: [{ role: "developer" as const, content: "Be brief." }, said] };
  const sent = (reasoning: boolean | undefined) =>
    JSON.parse(
      nodeBody(body, { id: "m", capabilities: reasoning === undefined ? null : capabilities(reasoning) }, false),
    ).messages;
  const instruction = { role: "system", content: "Be brief." };
  expect(sent(true)).toEqual([instruction, said]);
  expect(sent(undefined)).toEqual([instruction, said]);
  expect(sent(false)).toEqual([instruction, { role: "assistant", content: "Rome" }]);
});

test("an answer that is shortened needs no more tokens than its new limit", () => {
  const { messages } = ask(text);
  const body = { messages, max_tokens: 2000, [EXTRA]: { min_tokens: 1000, ignore_eos: true } };
  const short = shortened(body, 512);
  expect([short.max_tokens, short[EXTRA]]).toEqual([512, { min_tokens: 512, ignore_eos: true }]);
  expect(body[EXTRA].min_tokens).toBe(1000);
  expect(shortened({ ...body, [EXTRA]: { min_tokens: 5, ignore_eos: true } }, 512)[EXTRA].min_tokens).toBe(5);
});

test("images are counted by number and audio by length, not as text", () => {
  expect(mediaOf(ask(text))).toBeUndefined();
  expect(mediaOf({ messages: [{ role: "user", content: "Hi" }] })).toBeUndefined();
  const body = ask(text, image(300_000), image(1000), audio(40_000));
  expect(mediaOf(body)).toEqual({ images: 2, imageBytes: 301_000, audioBytes: 40_000, audioSeconds: 7.5 });
  const json = JSON.stringify(body);
  const rest = json.length - 341_000;
  expect(estimateTokens(json, mediaOf(body))).toBe(Math.ceil(rest / 3 + 2 * 1000 + 7.5 * 25));
  expect(estimateTokens(json)).toBeGreaterThan(100_000);
});
