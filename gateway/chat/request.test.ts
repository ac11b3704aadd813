import { expect, test } from "bun:test";
import { estimateTokens } from "../limits/ledger";
import { mediaOf } from "./request";

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

test("images are counted by number and audio by length, not as text", () => {
  expect(mediaOf(ask(text))).toBeUndefined();
  expect(mediaOf({ messages: [{ role: "user", content: "Hi" }] })).toBeUndefined();
  const body = ask(text, image(300_000), image(1000), audio(40_000));
  expect(mediaOf(body)).toEqual({ images: 2, imageBytes: 301_000, audioBytes: 40_000 });
  const json = JSON.stringify(body);
  const rest = json.length - 341_000;
  expect(estimateTokens(json, mediaOf(body))).toBe(Math.ceil(rest / 3 + 2 * 1000 + 100));
  expect(estimateTokens(json)).toBeGreaterThan(100_000);
});
