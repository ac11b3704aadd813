import { describe, expect, test } from "bun:test";
import { AppError } from "../../lib/errors";
import type { Call } from "../call";
import { embedAnyLength } from "./embed-any-length";

const CALL = {} as Call;
const WINDOW = 100;

/** A model with a window of 100 characters. A text's vector is its length. */
const model = () => {
  const asked: string[][] = [];
  return {
    asked,
    async embedTexts(_: Call, texts: readonly string[]) {
      asked.push([...texts]);
      const place = texts.findIndex((text) => text.length > WINDOW);
      if (place >= 0) throw new AppError("context_length_exceeded", "Too long.", { param: `input.${place}` });
      return { vectors: texts.map((text) => Float32Array.of(text.length, 1)), model: "m", modelRevision: "r" };
    },
  };
};

const lengths = async (texts: readonly string[], embeddings = model()) =>
  (await embedAnyLength(embeddings, CALL, texts)).map((vector) => [...vector]);

describe("texts of any length", () => {
  test("keep their order, and empty texts get an empty vector", async () => {
    expect(await lengths(["one", "", " \n", "three"])).toEqual([[3, 1], [], [], [5, 1]]);
  });

  test("are cut until the model accepts them, and are not cut if it already does", async () => {
    const [first, second, third] = await lengths(["x".repeat(70), "y".repeat(90_000), "z".repeat(300)]);
    expect([first, second?.[0], third?.[0]]).toEqual([[70, 1], expect.any(Number), 94]);
    expect(second?.[0]).toBeLessThanOrEqual(WINDOW);
  });

  test("are never cut inside a character", async () => {
    const embeddings = model();
    await lengths([`a${"👩🏽‍🚀".repeat(800)}`, "half \ud83d"], embeddings);
    expect(embeddings.asked.flat().every((text) => text.isWellFormed())).toBe(true);
  });

  test("are all embedded, even if many are too long", async () => {
    const found = await lengths(Array.from({ length: 60 }, (_, n) => "!".repeat(400 + n)));
    expect(found.every(([length]) => length !== undefined && length > 0 && length <= WINDOW)).toBe(true);
  });

  test("fail with any other error of the model", () => {
    const embedTexts = () => Promise.reject(new AppError("unavailable", "No node is available."));
    return expect(embedAnyLength({ embedTexts }, CALL, ["text"])).rejects.toMatchObject({ kind: "unavailable" });
  });
});
